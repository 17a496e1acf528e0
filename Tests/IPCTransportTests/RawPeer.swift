// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc

/// A peer that does with its socket what a test wants.
final class RawPeer {
    private let stream: BlockingStream

    init(unix path: String) throws {
        stream = try BlockingStream(unix: path)
    }

    init(port: Int) throws {
        stream = try BlockingStream(host: "127.0.0.1", port: UInt16(port))
    }

    func send(_ bytes: [UInt8]) throws { try stream.send(bytes) }

    func finishSending() { stream.finishSending() }

    func resetOnClose() { stream.resetOnClose() }

    /// So many bytes, and no more than were read with the last of them. Leaves its thread to others meanwhile.
    func receive(count: Int) async throws -> [UInt8] {
        var all: [UInt8] = []
        try await eventually("\(count) bytes have come; there are \(all.count)") {
            while all.count < count, case .bytes(let bytes) = try self.stream.receive(milliseconds: 0) {
                all += bytes
            }
            return all.count >= count
        }
        return all
    }

    /// The same for a thread of one's own.
    func receiveBlocking(count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            guard case .bytes(let bytes) = try stream.receive(milliseconds: 60_000) else {
                throw TimedOut(description: "\(all.count) of \(count) bytes have come")
            }
            all += bytes
        }
        return all
    }

    /// Everything that comes until the peer finishes.
    func receiveAll() async throws -> [UInt8] {
        var all: [UInt8] = []
        try await eventually("the peer finishes; there are \(all.count) bytes") {
            while true {
                switch try self.stream.receive(milliseconds: 0) {
                case .bytes(let bytes): all += bytes
                case .end: return true
                case .nothing: return false
                }
            }
        }
        return all
    }
}

/// Gives something that is not `Sendable` to one other thread, for good.
final class Handover<Value>: @unchecked Sendable {
    // Unchecked: who takes the value is the only one to use it from then on.
    private let value: Value

    init(_ value: Value) {
        self.value = value
    }

    func take() -> Value { value }
}
