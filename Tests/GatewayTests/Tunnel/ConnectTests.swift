// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import Synchronization
import Testing

@Suite("ipc-gateway connect", .serialized)
struct ConnectTests {
    @Test("carries programs that only know Unix sockets, and ends in order")
    func carrying() async throws {
        let stage = try await TunnelStage()
        let tunnel = try await stage.start()
        #expect(tunnel.errors.contains("the gateway lets us in"), "\(tunnel.errors)")
        let attributes = try FileManager.default.attributesOfItem(atPath: stage.socket)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        #expect(try await stage.echo("[1,\"two\"]").output == "[1,\"two\"]\n")
        let client = try await stage.connect("window:7")
        let context: String = try await client.channel("test").callMethod("whoami")
        #expect(context == "window:7")
        try await eventually("the first one is over: \(tunnel.errors)") {
            tunnel.errors.contains("local client closed  reason=\"the client has ended")
        }
        #expect(try await stage.stop(tunnel) == 0)
        #expect(access(stage.socket, F_OK) != 0, "its socket is removed")
        let end = await client.waitUntilClosed()
        #expect(end.code == .closed)
        try await eventually("the sessions are over, not only away") { stage.stage.server.connections.isEmpty }
        #expect(tunnel.errors.contains("stopped"), "\(tunnel.errors)")
    }

    @Test("shows a program one unbroken connection, whatever happens to the line")
    func cuts() async throws {
        let stage = try await TunnelStage()
        let tunnel = try await stage.start()
        let client = try await stage.connect()
        let channel = client.channel("test")
        let events = Mutex<[IPCValue]>([])
        let subscription = channel.listen("onEvent").subscribe { event in events.withLock { $0.append(event) } }
        try await eventually("it listens") { stage.stage.channel.events.listenerCount == 1 }
        func buffer(_ count: Int) -> IPCValue {
            .buffer((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) })
        }
        // A message has to fit between two cuts, or it would never pass.
        var random = SeededGenerator(seed: 6)
        stage.relay.cut(after: (0..<12).map { _ in Int.random(in: 10_000...200_000, using: &random) } + [700_000])
        for number in 0..<200 {
            let argument =
                switch number {
                case 199: buffer(1 << 20)
                case _ where number % 8 == 0: buffer(1 << 16)
                default: IPCValue.int(Int32(number))
                }
            stage.stage.channel.events.fire(.int(Int32(number)))
            let isSame = try await channel.call("echo", argument) == argument
            #expect(isSame, "answer \(number)")
        }
        try await eventually("all events have come") { events.withLock { $0.count } >= 200 }
        let inOrder = events.withLock { $0 } == (0..<200).map { .int($0) }
        #expect(inOrder)
        let arguments = stage.stage.seen.arguments
        #expect(arguments.count == 201, "one listen, and each call once")
        #expect(stage.relay.cutsLeft == 0)
        #expect(tunnel.errors.contains("reconnected"), "\(tunnel.errors)")
        subscription.cancel()
        client.dispose()
        #expect(try await stage.stop(tunnel) == 0)
    }

    @Test("tells a program that the gateway is away, and carries the next one when it is back")
    func absence() async throws {
        let stage = try await TunnelStage()
        stage.relay.setDown(true)
        let tunnel = try await stage.start()
        #expect(tunnel.errors.contains("the gateway does not let us in now"), "\(tunnel.errors)")
        let refused = try await stage.echo("1")
        #expect(refused.status == 69)
        #expect(refused.errors.contains("(upstream-unavailable)"), "\(refused.errors)")
        #expect(tunnel.errors.contains("no session"), "\(tunnel.errors)")
        stage.relay.setDown(false)
        #expect(try await stage.echo("1").output == "1\n")
        #expect(try await stage.stop(tunnel) == 0)
    }

    @Test("goes to the next address when one is away")
    func severalAddresses() async throws {
        let stage = try await TunnelStage()
        let tunnel = try await stage.start(to: "127.0.0.1:1, 127.0.0.1:\(stage.relay.port)")
        #expect(try await stage.echo("1").output == "1\n")
        #expect(tunnel.errors.contains("address=tls:127.0.0.1:\(stage.relay.port)"), "\(tunnel.errors)")
        #expect(try await stage.stop(tunnel) == 0)
    }

    @Test("takes new programs elsewhere when a gateway is going away, and keeps those that are there")
    func goingAway() async throws {
        let stage = try await TunnelStage()
        let other = try await stage.serveAgain()
        let tunnel = try await stage.start(to: "127.0.0.1:\(stage.relay.port),127.0.0.1:\(other.port ?? 0)")
        let client = try await stage.connect()
        let first = try #require(stage.sessions.all.withLock { $0.last })
        first.goAway(reason: "draining")
        try await eventually("it hears that: \(tunnel.errors)") { tunnel.errors.contains("going away") }
        let answer = try await client.channel("test").call("echo", .int(5))
        #expect(answer == .int(5))
        #expect(try await stage.echo("6").output == "6\n")
        let opened = tunnel.errors.split(separator: "\n").filter { $0.contains("session opened") }
        #expect(opened.last?.contains("tls:127.0.0.1:\(other.port ?? 0)") == true, "\(opened)")
        client.dispose()
        #expect(try await stage.stop(tunnel) == 0)
        await other.close()
    }

    @Test("closes the connection of a program whose session is over, and says why")
    func sessionIsOver() async throws {
        let stage = try await TunnelStage()
        let tunnel = try await stage.start()
        let client = try await stage.connect()
        let session = try #require(stage.sessions.all.withLock { $0.last })
        session.close(.disposed)
        let end = await client.waitUntilClosed()
        #expect(end.code == .closed)
        try await eventually("it says why: \(tunnel.errors)") {
            tunnel.errors.contains("reason=\"the gateway has closed the session")
        }
        #expect(try await stage.stop(tunnel) == 0)
    }

    @Test("lets a program that talks nonsense hurt nobody else")
    func nonsense() async throws {
        let stage = try await TunnelStage()
        let tunnel = try await stage.start()
        let client = try await stage.connect()
        let stranger = try BlockingStream(unix: stage.socket)
        try stranger.send([9, 9, 9, 9, 9, 9, 9, 9, 9, 255, 255, 255, 255, 1, 2, 3])
        try await eventually("it is closed: \(tunnel.errors)") { tunnel.errors.contains("a frame that is not allowed") }
        let answer = try await client.channel("test").call("echo", .int(5))
        #expect(answer == .int(5))
        client.dispose()
        #expect(try await stage.stop(tunnel) == 0)
    }

    @Test("takes as many programs as it may, and tells the others")
    func limit() async throws {
        let stage = try await TunnelStage()
        let tunnel = try await stage.start("--max-clients", "2")
        let clients = [try await stage.connect(), try await stage.connect()]
        let refused = try await stage.echo("1")
        #expect(refused.status == 69)
        #expect(
            refused.errors.contains("the tunnel has 2 clients, as many as it may have (limit)"),
            "\(refused.errors)"
        )
        clients[0].dispose()
        try await eventually("there is room again") { tunnel.errors.contains("local client closed") }
        #expect(try await stage.echo("1").output == "1\n")
        clients[1].dispose()
        #expect(try await stage.stop(tunnel) == 0)
    }

    @Test("ends soon, and in order, while the gateway is away")
    func endingWithoutGateway() async throws {
        let stage = try await TunnelStage()
        let tunnel = try await stage.start()
        let client = try await stage.connect()
        stage.relay.setDown(true)
        try await eventually("it notices: \(tunnel.errors)") { tunnel.errors.contains("reconnecting") }
        let start = ContinuousClock.now
        #expect(try await stage.stop(tunnel) == 0)
        #expect(ContinuousClock.now - start < .seconds(5))
        client.dispose()
    }

    @Test("lets no other user in, even where the socket's mode would", .enabled(if: geteuid() == 0))
    func otherUser() async throws {
        let stage = try await TunnelStage()
        let tunnel = try await stage.start()
        for path in [stage.directory.path, stage.socket] { #expect(chmod(path, 0o777) == 0) }
        // The program itself is in a directory that this user may not read.
        let script =
            "import os,socket,sys; os.setuid(65534); s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
            + "print(s.recv(500))"
        let stranger = try ChildProcess(["/usr/bin/env", "python3", "-c", script, stage.socket])
        #expect(try await stranger.end() == 0, "\(stranger.errors)")
        #expect(stranger.output.contains("this socket is for uid 0, not for uid 65534"), "\(stranger.output)")
        #expect(tunnel.errors.contains("local client refused"), "\(tunnel.errors)")
        #expect(try await stage.stop(tunnel) == 0)
    }
}
