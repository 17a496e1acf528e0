// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import Logging
import NIOConcurrencyHelpers
import ServiceLifecycle
import Synchronization
import Testing

@Suite("A server as a service")
struct ServiceTests {
    private final class Seen: Sendable {
        let listeners = NIOLockedValueBox<[IPCListener]>([])
        let isFinishing = Atomic(false)
        let mayFinish = Atomic(false)
    }

    @Test("serves until the graceful shutdown, waits for what is outstanding, and is done")
    func shutdown() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s.sock")
        let seen = Seen()
        let service = IPCServerService(
            IPCServer<String>(),
            endpoints: [.unix(path), .tcp()],
            finishing: { _ in
                seen.isFinishing.store(true, ordering: .relaxed)
                try? await eventually("it may finish") { seen.mayFinish.load(ordering: .relaxed) }
            },
            listening: { listeners in seen.listeners.withLockedValue { $0 = listeners } }
        )
        let group = ServiceGroup(services: [service], logger: Logger(label: "test"))
        let running = Task { try await group.run() }
        try await eventually("it listens") { seen.listeners.withLockedValue { $0.count } == 2 }
        let client = try await PlainConnection.connect(to: .unix(path))
        client.start(delivering: RecordingReceiver())
        await group.triggerGracefulShutdown()
        try await eventually("it finishes") { seen.isFinishing.load(ordering: .relaxed) }
        await #expect(throws: ConnectionEnd.self) { try await PlainConnection.connect(to: .unix(path)) }
        seen.mayFinish.store(true, ordering: .relaxed)
        try await running.value
        client.close(.disposed)
    }

    @Test("lets a call that is running come to its answer unless told otherwise")
    func answers() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s.sock")
        let seen = Seen()
        let server = IPCServer<String>()
        let channel = ServiceTable<String>().on("wait") { _, _ in
            seen.isFinishing.store(true, ordering: .relaxed)
            try? await eventually("it may finish") { seen.mayFinish.load(ordering: .relaxed) }
            return "done"
        }
        server.registerChannel("c", channel)
        let service = IPCServerService(
            server,
            endpoints: [.unix(path)],
            listening: { listeners in seen.listeners.withLockedValue { $0 = listeners } }
        )
        let group = ServiceGroup(services: [service], logger: Logger(label: "test"))
        let running = Task { try await group.run() }
        try await eventually("it listens") { !seen.listeners.withLockedValue { $0.isEmpty } }
        let client = try await IPCClient.connect(to: .unix(path), context: "x")
        let call = Task { try await client.channel("c").call("wait") }
        try await eventually("the call runs") { seen.isFinishing.load(ordering: .relaxed) }
        await group.triggerGracefulShutdown()
        try await eventually("nobody listens any more") { (try? BlockingStream(unix: path)) == nil }
        seen.mayFinish.store(true, ordering: .relaxed)
        #expect(try await call.value == "done")
        try await running.value
        client.dispose()
    }

    @Test("does not wait longer than it was told, even for what does not heed it")
    func deadline() async throws {
        let directory = try TemporaryDirectory()
        let seen = Seen()
        let service = IPCServerService(
            IPCServer<String>(),
            endpoints: [.unix(directory.file("s.sock"))],
            drainTimeout: .milliseconds(50),
            finishing: { _ in
                try? await eventually("it may finish") { seen.mayFinish.load(ordering: .relaxed) }
            },
            listening: { listeners in seen.listeners.withLockedValue { $0 = listeners } }
        )
        let group = ServiceGroup(services: [service], logger: Logger(label: "test"))
        let running = Task { try await group.run() }
        try await eventually("it listens") { !seen.listeners.withLockedValue { $0.isEmpty } }
        await group.triggerGracefulShutdown()
        try await running.value
        seen.mayFinish.store(true, ordering: .relaxed)
    }

    @Test("fails when it cannot listen, and closes what it had opened")
    func cannotListen() async throws {
        let directory = try TemporaryDirectory()
        let first = directory.file("s.sock")
        let service = IPCServerService(
            IPCServer<String>(),
            endpoints: [.unix(first), .unix(directory.file("no/s.sock"))]
        )
        await #expect(throws: ListenError.self) { try await service.run() }
        await #expect(throws: ConnectionEnd.self) { try await PlainConnection.connect(to: .unix(first)) }
    }

    @Test("fails when a listener is closed behind its back")
    func closedListener() async throws {
        let directory = try TemporaryDirectory()
        let seen = Seen()
        let service = IPCServerService(
            IPCServer<String>(),
            endpoints: [.unix(directory.file("s.sock"))],
            listening: { listeners in seen.listeners.withLockedValue { $0 = listeners } }
        )
        let running = Task { try await service.run() }
        try await eventually("it listens") { !seen.listeners.withLockedValue { $0.isEmpty } }
        await seen.listeners.withLockedValue { $0 }.first?.close()
        await #expect(throws: ListenError.self) { try await running.value }
    }
}
