// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TLSEngine
import Testing

@Suite("Sessions that end, or are refused")
struct SessionEndTests {
    /// A server that answers `connect` as a test wants, and says nothing else.
    private final class Refuser: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        let answer: @Sendable (String?) -> [SessionControl]

        init(_ answer: @escaping @Sendable (String?) -> [SessionControl]) {
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var decoder = FrameDecoder(dialect: .any)
            let received = unwrapInboundIn(data)
            decoder.append(received.readableBytesUInt8Span)
            guard let frame = try? decoder.next(), frame.type == .control,
                case .connect(let token) = try? SessionControl(frame.body)
            else { return }
            var bytes: [UInt8] = []
            for control in answer(token) { Frame(type: .control, body: control.encoded()).append(to: &bytes) }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            if token == nil, bytes.isEmpty { context.close(promise: nil) }
        }
    }

    private func refuser(_ answer: @escaping @Sendable (String?) -> [SessionControl]) async throws -> any NIOCore
        .Channel
    {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Refuser(answer))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    @Test("cannot be opened where they are refused, and say why", arguments: ["limit", "not-allowed", "draining"])
    func refusedOpening(code: String) async throws {
        let server = try await refuser { _ in [.error(SessionCode(rawValue: code), reason: "not you")] }
        let port = try #require(server.localAddress?.port)
        let end = await #expect(throws: ConnectionEnd.self) {
            try await PersistentConnection.connect(to: [.tcp(port: port)])
        }
        #expect(end == ConnectionEnd(.refused, "tcp:127.0.0.1:\(port): not you (\(code))"))
        try await server.close()
    }

    @Test("are opened at the next address when one does not answer or is not there")
    func nextAddress() async throws {
        let silent = try await refuser { _ in [] }
        let stage = try await SessionStage()
        let endpoints: [ClientEndpoint] = [
            .unix("/nonexistent/s.sock"), .tcp(port: try #require(silent.localAddress?.port)), try stage.endpoint(),
        ]
        let (client, connection) = try await IPCClient.connectPersistently(to: endpoints, context: "w")
        #expect(connection.remoteAddress?.port == stage.relay.port)
        client.dispose()
        await connection.waitUntilEnded()
        await stage.close()
        try await silent.close()
    }

    @Test(
        "end for good when they may not go on, and calls fail with the reason",
        arguments: ["session-expired", "revoked"]
    )
    func refusedResumption(code: String) async throws {
        let server = try await refuser { token in
            token == nil ? [.ok(token: "t", graceTime: 300)] : [.error(SessionCode(rawValue: code), reason: "over")]
        }
        let relay = try await CuttingRelay(to: try #require(server.localAddress?.port))
        let connection = try await PersistentConnection.connect(to: [.tcp(port: relay.port)])
        let log = StateLog(connection)
        let receiver = RecordingReceiver()
        connection.start(delivering: receiver)
        relay.cut()
        try await eventually("it has failed") { log.isOver && receiver.end != nil }
        let end = ConnectionEnd(.refused, "tcp:127.0.0.1:\(relay.port): over (\(code))")
        #expect(receiver.end == end)
        #expect(log.failure == end)
        #expect(!connection.isCongested)
        await connection.drain()
        await relay.close()
        try await server.close()
    }

    @Test("end when the grace time is over, on both sides")
    func grace() async throws {
        let stage = try await SessionStage(hosting: SessionHosting(graceTime: .seconds(1)))
        let (client, connection) = try await stage.connect()
        let channel = client.channel("sample")
        #expect(try await channel.call("echo", 1) == 1)
        let log = StateLog(connection)
        stage.relay.setDown(true)
        let end = await #expect(throws: ConnectionEnd.self) { try await channel.call("echo", 2) }
        #expect(end?.code == .lost)
        #expect(end?.reason.hasPrefix("no connection for 1 s, for which the server keeps the session") == true)
        try await eventually("it has failed") { log.failure == end }
        try await eventually("the server has let it go") { stage.server.connections.isEmpty }
        await stage.close()
    }

    @Test("come too late for one that was given up for another, and are told so")
    func expired() async throws {
        let stage = try await SessionStage(hosting: SessionHosting(maximumDetachedSessions: 0))
        let (client, _) = try await stage.connect()
        #expect(try await client.channel("sample").call("echo", 1) == 1)
        stage.relay.cut()
        let end = await client.waitUntilClosed()
        #expect(end.code == .refused)
        #expect(end.reason.hasSuffix("(session-expired)"))
        await stage.close()
    }

    @Test("are refused when there are too many")
    func tooMany() async throws {
        let stage = try await SessionStage(hosting: SessionHosting(maximumSessions: 1))
        let (client, connection) = try await stage.connect()
        let end = await #expect(throws: ConnectionEnd.self) { try await stage.connect(context: "window:2") }
        #expect(end?.reason.hasSuffix("(limit)") == true)
        client.dispose()
        await connection.waitUntilEnded()
        try await eventually("there is room again") { stage.server.connections.isEmpty }
        let (second, _) = try await stage.connect(context: "window:2")
        second.dispose()
        await stage.close()
    }

    /// Asks over a connection of its own, as a client with this certificate.
    private func ask(_ stage: SessionStage, _ token: String?, as name: String) async throws -> (
        SessionControl, TestClient
    ) {
        let authority = try TestAuthority.shared()
        var configuration = authority.clientConfiguration(try authority.client(name))
        configuration.applicationProtocols = [PersistentConnection.applicationProtocol]
        let peer = TestClient(port: UInt16(try #require(stage.listener.port)), tls: configuration)
        peer.send(Frame(type: .control, body: SessionControl.connect(token: token).encoded()).encoded())
        try await eventually("an answer comes") {
            peer.receiveSome(milliseconds: 0)
            return !peer.frames.isEmpty
        }
        return (try SessionControl(peer.frames[0].body), peer)
    }

    @Test("are not the thief's who has the token and another certificate, and stay their owner's")
    func theft() async throws {
        let stage = try await SessionStage(.tls)
        let (opened, owner) = try await ask(stage, nil, as: "alice")
        guard case .ok(let token, 300) = opened else {
            Issue.record("no session: \(opened)")
            return
        }
        let (theft, _) = try await ask(stage, token, as: "bob")
        #expect(theft == .error(.notYours, reason: "the session belongs to another certificate"))
        let guess = String(token.dropLast()) + (token.hasSuffix("0") ? "1" : "0")
        let (guessed, _) = try await ask(stage, guess, as: "alice")
        #expect(guessed == .error(.unknownSession, reason: "there is no such session here"))
        // The owner comes back with a new certificate, while the first connection is still there.
        let (resumed, again) = try await ask(stage, token, as: "alice")
        #expect(resumed == .ok(token: token, graceTime: 300))
        try await eventually("the first connection is closed") {
            owner.receiveSome(milliseconds: 0)
            return owner.ending != nil
        }
        #expect(again.ending == nil)
        await stage.close()
    }

    @Test("are forgotten at once when nothing was said in them")
    func unused() async throws {
        let stage = try await SessionStage(.tls)
        let (opened, peer) = try await ask(stage, nil, as: "alice")
        guard case .ok(let token, _) = opened else {
            Issue.record("no session: \(opened)")
            return
        }
        peer.disappear(reset: true)
        // Whoever comes before the server has noticed takes it over, and leaves it as unused as it was.
        for _ in 0..<1_000 {
            let (answer, next) = try await ask(stage, token, as: "alice")
            guard case .ok = answer else {
                #expect(answer == .error(.unknownSession, reason: "there is no such session here"))
                return await stage.close()
            }
            next.disappear(reset: true)
        }
        Issue.record("it is still there")
        await stage.close()
    }

    @Test("live beside connections of the plain protocol on one port with TLS")
    func bothProtocols() async throws {
        let stage = try await SessionStage(.tls)
        let plain = try await IPCClient.connect(to: try stage.endpoint(), context: "plain")
        let (client, _) = try await stage.connect()
        #expect(try await plain.channel("sample").call("echo", 1) == 1)
        #expect(try await client.channel("sample").call("echo", 2) == 2)
        plain.dispose()
        client.dispose()
        await stage.close()
    }

    @Test("are judged anew whenever their client comes back")
    func admission() async throws {
        let isAdmitted = NIOLockedValueBox(true)
        let stage = try await SessionStage { _ in
            guard isAdmitted.withLockedValue({ $0 }) else { throw ConnectionEnd(.refused, "not any more") }
        }
        let (client, _) = try await stage.connect()
        #expect(try await client.channel("sample").call("echo", 1) == 1)
        isAdmitted.withLockedValue { $0 = false }
        stage.relay.cut()
        let end = await client.waitUntilClosed()
        #expect(end.reason.hasSuffix("not any more (not-allowed)"))
        await stage.close()
    }

    @Test("are asked to go when the listener closes, and go on until they do")
    func goAway() async throws {
        let stage = try await SessionStage()
        let (client, connection) = try await stage.connect()
        let log = StateLog(connection)
        await stage.listener.close()
        try await eventually("it is asked to go") {
            if case .goingAway = log.states.last { true } else { false }
        }
        #expect(try await client.channel("sample").call("echo", 3) == 3)
        client.dispose()
        await connection.waitUntilEnded()
        await stage.close()
    }

    @Test("do not begin when nobody wants them any more")
    func cancellation() async throws {
        let silent = try await refuser { _ in [.goAway(reason: "not an answer")] }
        let port = try #require(silent.localAddress?.port)
        let task = Task { try await PersistentConnection.connect(to: [.tcp(port: port)]) }
        letTimePass(milliseconds: 20)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await silent.close()
    }
}
