// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import IPCProtocol
import Synchronization

/// A local server that records every byte and does only what the test says. Ends with the object.
public final class RecordingUpstream: Sendable {
    private struct State {
        var connections: [UpstreamConnection] = []
        var isAccepting: Bool
        var isStopped = false
        var isPausing: Bool
    }

    private final class Shared: Sendable {
        let state: Mutex<State>

        init(_ state: State) {
            self.state = Mutex(state)
        }
    }

    /// The frame `[200]`.
    public static let initialize = Frame.regular(IPCMessage.initialize).encoded()

    /// What the gateway sends before anything else: the context, and `[200]`.
    public static func opening(context: String) -> [UInt8] {
        Frame.regular(IPCMessage.context(IPCValue(context))).encoded() + self.initialize
    }

    /// The path of the socket.
    public let path: String
    private let shared: Shared

    /// Listens.
    ///
    /// - Parameters:
    ///   - path: The path of the socket.
    ///   - isAccepting: Whether connections are accepted at once; otherwise they stay in the queue.
    ///   - isPaused: Whether new connections are not read from.
    ///   - backlog: How long the queue is.
    public init(path: String, isAccepting: Bool = true, isPaused: Bool = false, backlog: Int32 = 128) throws {
        self.path = path
        let listener = try Self.listen(path, backlog)
        let shared = Shared(State(isAccepting: isAccepting, isPausing: isPaused))
        self.shared = shared
        Thread.detachNewThread { Self.accept(listener, shared) }
    }

    deinit {
        self.stop()
    }

    private static func listen(_ path: String, _ backlog: Int32) throws -> Int32 {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard listener >= 0, result == 0, Glibc.listen(listener, backlog) == 0 else {
            throw TestSupportError.system("listen on \(path)")
        }
        return listener
    }

    private static func accept(_ listener: Int32, _ shared: Shared) {
        while true {
            let state = shared.state.withLock { ($0.isAccepting, $0.isStopped, $0.isPausing) }
            if state.1 {
                break
            }
            var poll = pollfd(fd: listener, events: Int16(state.0 ? POLLIN : 0), revents: 0)
            guard Glibc.poll(&poll, 1, 2) > 0, state.0 else {
                continue
            }
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else {
                continue
            }
            let connection = UpstreamConnection(descriptor: descriptor, isPaused: state.2)
            let isStopped = shared.state.withLock { state in
                state.connections.append(connection)
                return state.isStopped
            }
            if isStopped {
                connection.close()
            }
        }
        close(listener)
    }

    /// The connections so far.
    public var connections: [UpstreamConnection] {
        self.shared.state.withLock { $0.connections }
    }

    /// Waits for a connection, counted from 0.
    public func connection(_ index: Int = 0, within limit: Duration = .seconds(10)) throws -> UpstreamConnection {
        try eventually("connection \(index) to the upstream", within: limit) { self.connections.count > index }
        return self.connections[index]
    }

    /// The connections that were made before this is called: the queue is first in, first out, so a connection of one's
    /// own, which is not counted, ends it.
    public func settledConnections() throws -> [UpstreamConnection] {
        let last = try BlockingStream(unix: self.path)
        let marker = Array("last".utf8)
        try last.send(marker)
        try eventually("the upstream accepts everything") {
            self.shared.state.withLock { state in
                guard let index = state.connections.lastIndex(where: { $0.received == marker }) else {
                    return false
                }
                state.connections.remove(at: index).close()
                return true
            }
        }
        return self.connections
    }

    /// Starts to accept what is in the queue.
    public func startAccepting() {
        self.shared.state.withLock { $0.isAccepting = true }
    }

    /// Closes everything; the socket's file stays, as when a server is killed.
    public func stop() {
        let connections = self.shared.state.withLock { state in
            state.isStopped = true
            return state.connections
        }
        for connection in connections {
            connection.close()
        }
    }
}
