// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCTransport
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("Connecting")
struct ConnectingTests {
    @Test("to a port that nobody listens at fails with words")
    func refused() async throws {
        let harbour = try await Harbour(.tcp)
        let port = harbour.port
        await harbour.listener.close()
        let error = await #expect(throws: ConnectionEnd.self) {
            try await PlainConnection.connect(to: .tcp(port: port))
        }
        #expect(
            error == ConnectionEnd(.lost, "tcp:127.0.0.1:\(port): Connection refused (nobody listens there)")
        )
    }

    @Test("to a name that does not exist fails with words")
    func unknownName() async throws {
        let error = await #expect(throws: ConnectionEnd.self) {
            try await PlainConnection.connect(to: .tcp(host: "does-not-exist.invalid", port: 1))
        }
        #expect(error?.code == .lost)
        #expect(error?.reason.hasPrefix("tcp:does-not-exist.invalid:1: ") == true)
    }

    @Test("ends when its time is over")
    func timeout() async throws {
        let harbour = try await Harbour(.tcp)
        var options = TransportOptions()
        options.connectTimeout = .milliseconds(100)
        // The server's end is never started, so nothing answers the handshake.
        let endpoint = try harbour.endpoint(.tls)
        let error = await #expect(throws: ConnectionEnd.self) {
            try await PlainConnection.connect(to: endpoint, options: options)
        }
        #expect(error == ConnectionEnd(.lost, "\(endpoint): no connection within 0.1 s"))
        let server = try await harbour.accept()
        let receiver = RecordingReceiver()
        server.start(delivering: receiver)
        try await eventually("the attempt was given up") { receiver.end != nil }
    }

    @Test("ends when its task is cancelled, and leaves nothing behind")
    func cancellation() async throws {
        let harbour = try await Harbour(.tcp)
        let endpoint = try harbour.endpoint(.tls)
        let attempt = Task { try await PlainConnection.connect(to: endpoint) }
        let server = try await harbour.accept()
        attempt.cancel()
        await #expect(throws: CancellationError.self) { try await attempt.value }
        let receiver = RecordingReceiver()
        server.start(delivering: receiver)
        try await eventually("the attempt was given up") { receiver.end != nil }
    }

    @Test("does not begin in a task that is cancelled")
    func cancelledBefore() async throws {
        let harbour = try await Harbour()
        let attempt = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await PlainConnection.connect(to: .unix(harbour.path))
        }
        attempt.cancel()
        await #expect(throws: CancellationError.self) { try await attempt.value }
    }

    @Test("may use a channel that a program has made itself")
    func adoptedChannel() async throws {
        let harbour = try await Harbour()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .connect(unixDomainSocketPath: harbour.path)
            .get()
        try await talk(try await PlainConnection.adopt(channel), harbour)
    }

    @Test("may use a socket that is connected already")
    func adoptedDescriptor() async throws {
        var ends: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let first = try await PlainConnection.adopt(descriptor: ends[0])
        let second = try await PlainConnection.adopt(descriptor: ends[1])
        let receivers = [RecordingReceiver(), RecordingReceiver()]
        first.start(delivering: receivers[0])
        second.start(delivering: receivers[1])
        first.send([1])
        second.send([2])
        try await eventually("both are there") { receivers.allSatisfy { $0.count == 1 } }
        first.close(.disposed)
        try await eventually("both are told") { receivers.allSatisfy { $0.end != nil } }
    }

    private func talk(_ client: PlainConnection, _ harbour: Harbour) async throws {
        let receiver = RecordingReceiver()
        client.start(delivering: receiver)
        client.send([1])
        let server = try await harbour.accept()
        let serverReceiver = RecordingReceiver { [weak server] message in server?.send(message) }
        server.start(delivering: serverReceiver)
        try await eventually("the answer is there") { receiver.messages == [[1]] }
        client.close(.disposed)
        try await eventually("the end is there") { serverReceiver.end == .closed }
    }

    @Test("waits while a Unix socket's queue is full")
    func fullQueue() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s.sock")
        let upstream = try RecordingUpstream(path: path, isAccepting: false, backlog: 0)
        defer { withExtendedLifetime(upstream) {} }
        let first = try await PlainConnection.connect(to: .unix(path))
        var options = TransportOptions()
        options.connectTimeout = .milliseconds(200)
        let error = await #expect(throws: ConnectionEnd.self) {
            try await PlainConnection.connect(to: .unix(path), options: options)
        }
        #expect(error?.reason == "unix:\(path): no connection within 0.2 s")
        first.close(.disposed)
    }
}
