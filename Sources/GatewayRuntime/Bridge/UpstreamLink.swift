// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc

/// A local server's side of a bridge: its Unix socket, and what waits in either direction.
final class UpstreamLink {
    /// How far dialling has come.
    enum State {
        /// The server's queue of connections is full; try again.
        case queued
        /// The system has not answered yet.
        case connecting
        /// There.
        case connected
    }

    let socket: Socket
    /// The server's place among those of the session.
    let index: Int
    /// The link's place in the reactor.
    let handle: Reactor.Handle
    /// Frames wait that were beyond one turn's share.
    var hasMore = false
    /// Notices when the server takes nothing.
    var stall = StallWatch()
    /// For the server's `Initialize`; `UInt64.max` is never, as for the others.
    var readyDeadline = UInt64.max
    /// For dialling again, because the server's queue was full.
    var redialDeadline = UInt64.max
    /// For the server to take something of what is queued for it.
    var stallDeadline = UInt64.max
    /// Bytes that have not been judged.
    var pending = ByteQueue()
    /// How long the frame is that is not complete; as far as it is known.
    var frameByteCount = 0
    private(set) var state = State.queued
    /// Whether the server has finished sending.
    private(set) var hasEnded = false
    /// Whether the server has closed altogether, so that nothing more can be sent to it.
    private(set) var isGone = false
    /// Whether our end of file has been sent.
    private(set) var hasShutDown = false
    /// Bytes sent.
    private(set) var sentByteCount = 0

    /// At most this many of the bytes that wait are answers that the gateway made itself.
    private(set) var ownByteCount = 0

    private let address: SocketAddress
    private var backlog = ByteQueue()

    init(path: String, index: Int, handle: Reactor.Handle) throws(SystemError) {
        self.index = index
        self.handle = handle
        guard let address = SocketAddress(unixPath: path) else { throw SystemError("connect", ENAMETOOLONG) }
        self.address = address
        socket = try Socket(family: AF_UNIX)
    }

    /// Bytes that the server has not taken yet.
    var backlogByteCount: Int { backlog.count }

    /// Whether nothing waits in either direction, and nothing has ended.
    var isAtRest: Bool {
        state == .connected && !hasEnded && !isGone && !hasMore && backlog.isEmpty && pending.isEmpty
    }

    /// Dials, or dials again where the queue was full; sends what waits once connected.
    func connect() throws(SystemError) {
        switch socket.connect(to: address) {
        case .connected:
            state = .connected
            flush()
        case .inProgress: state = .connecting
        case .queueFull: state = .queued
        case .failed(let error): throw error
        }
    }

    /// Sends bytes, or queues what the server does not take now. A server that is gone gets nothing.
    func send(_ bytes: UnsafeRawBufferPointer) {
        guard !isGone else { return }
        var rest = bytes
        if state == .connected, backlog.isEmpty {
            while !rest.isEmpty, let count = write(rest) {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
        if !isGone, !rest.isEmpty { backlog.append(rest) }
    }

    /// Sends an answer that the gateway made itself.
    func sendOwn(_ bytes: UnsafeRawBufferPointer) {
        send(bytes)
        if !backlog.isEmpty { ownByteCount += bytes.count }
    }

    /// Sends what is queued, as far as the server takes it.
    func flush() {
        guard state == .connected else { return }
        while !backlog.isEmpty, !isGone {
            guard let count = backlog.withUnsafeBytes(write) else { break }
            backlog.consume(count)
        }
        if isGone { backlog = ByteQueue() }
        if backlog.isEmpty { ownByteCount = 0 }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        switch socket.write(bytes) {
        case .bytes(let count):
            sentByteCount += count
            return count
        case .wouldBlock: return nil
        case .failed:
            // What the server sent before it went is still to be read.
            isGone = true
            return nil
        }
    }

    /// Tells the server that the client has finished, once everything queued has been sent.
    func shutDownIfFlushed() {
        guard state == .connected, backlog.isEmpty, !hasShutDown else { return }
        socket.shutdownWriting()
        hasShutDown = true
    }

    /// Reads once. The end of the stream and failures become `hasEnded` and `isGone`.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        switch socket.read(into: buffer) {
        case .bytes(let count):
            return count
        case .wouldBlock:
            return 0
        case .end:
            hasEnded = true
            return 0
        case .failed:
            hasEnded = true
            isGone = true
            return 0
        }
    }

    /// The system reports that the server has closed its end for good.
    func hungUp() {
        isGone = true
        backlog = ByteQueue()
    }
}
