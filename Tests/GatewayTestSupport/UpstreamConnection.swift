// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// One connection to a `RecordingUpstream`: everything that came, and what the test wants to happen.
public final class UpstreamConnection: Sendable {
    private struct State {
        var received: [UInt8] = []
        var isForgetting = false
        var forgottenCount = 0
        var hasEnded = false
        var isLost = false
        var isPaused = false
        var isClosed = false
    }

    private let descriptor: Int32
    private let state: Mutex<State>

    /// Takes over a connected socket and starts to record.
    init(descriptor: Int32, isPaused: Bool) {
        self.descriptor = descriptor
        self.state = Mutex(State(isPaused: isPaused))
        Thread.detachNewThread { [self] in self.record() }
    }

    private func record() {
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let state = self.state.withLock { ($0.isPaused, $0.isClosed) }
            if state.1 {
                break
            }
            var poll = pollfd(fd: self.descriptor, events: Int16(state.0 ? 0 : POLLIN), revents: 0)
            guard Glibc.poll(&poll, 1, 2) > 0 else {
                continue
            }
            if state.0 {
                // A hang-up is reported even while nothing is read.
                _ = Glibc.poll(nil, 0, 1)
                continue
            }
            let count = recv(self.descriptor, &chunk, chunk.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EINTR || errno == EAGAIN {
                continue
            }
            self.state.withLock { state in
                if state.isForgetting {
                    state.forgottenCount += max(0, count)
                } else {
                    state.received += chunk[..<max(0, count)]
                }
                state.hasEnded = count <= 0
                state.isLost = count < 0
            }
            if count <= 0 {
                break
            }
        }
        // Kept open for writing until the test closes it or is over.
        while !self.state.withLock({ $0.isClosed }) {
            _ = Glibc.poll(nil, 0, 2)
        }
        Glibc.close(self.descriptor)
    }

    // MARK: Recorded

    /// Everything that came.
    public var received: [UInt8] { self.state.withLock { $0.received } }
    /// How much came.
    public var receivedCount: Int { self.state.withLock { $0.received.count + $0.forgottenCount } }
    /// Whether the gateway has finished sending.
    public var hasEnded: Bool { self.state.withLock { $0.hasEnded } }
    /// Whether it ended with an error instead of an end of file.
    public var isLost: Bool { self.state.withLock { $0.isLost } }

    /// Waits until at least `count` bytes have come in all.
    ///
    /// - Returns: Everything that came.
    @discardableResult
    public func receive(count: Int, within limit: Duration = .seconds(10)) throws -> [UInt8] {
        try eventually("the upstream receives \(count) bytes; it has \(self.receivedCount)", within: limit) {
            self.receivedCount >= count
        }
        return self.received
    }

    /// Waits until the gateway has finished sending.
    ///
    /// - Returns: Everything that came.
    @discardableResult
    public func receiveToEnd(within limit: Duration = .seconds(10)) throws -> [UInt8] {
        try eventually("the gateway ends its connection to the upstream", within: limit) { self.hasEnded }
        return self.received
    }

    // MARK: Acting

    /// From now on bytes are counted and not kept.
    public func setForgetting() {
        self.state.withLock { $0.isForgetting = true }
    }

    /// Stops or resumes reading.
    public func setPaused(_ isPaused: Bool) {
        self.state.withLock { $0.isPaused = isPaused }
    }

    /// Sends all bytes; waits while the gateway does not take them.
    public func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR {
                continue
            }
            guard count >= 0 else {
                throw TestSupportError.system("send to the gateway")
            }
            rest = rest[(rest.startIndex + count)...]
        }
    }

    /// Says that nothing more will be sent.
    public func finishSending() {
        shutdown(self.descriptor, Int32(SHUT_WR))
    }

    /// Closes the connection, whatever is unread.
    public func close() {
        self.state.withLock { $0.isClosed = true }
    }
}
