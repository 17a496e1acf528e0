// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("ipc-gateway listen", .serialized)
struct ListenTests {
    private static func start(_ stage: CommandStage, _ words: [String] = [], event: String = "onEvent") throws
        -> ChildProcess
    {
        try ChildProcess(
            [try GatewayProcess.program(), "listen", "--unix", stage.socket] + words + ["test", event]
        )
    }

    @Test("prints each event as it comes, and unsubscribes after --count")
    func count() async throws {
        let stage = try await CommandStage()
        let child = try Self.start(stage, ["--count", "3"])
        try await eventually("it listens") { stage.channel.events.listenerCount == 1 }
        stage.channel.events.fire("one")
        try await eventually("the first is printed although more are awaited") { child.output == "\"one\"\n" }
        stage.channel.events.fire(.undefined)
        stage.channel.events.fire([2, .buffer([1])])
        #expect(try await child.end() == 0)
        #expect(child.output == "\"one\"\nnull\n[2,{\"type\":\"Buffer\",\"base64\":\"AQ==\"}]\n")
        #expect(child.errors.isEmpty)
        try await eventually("it has unsubscribed") { stage.channel.events.listenerCount == 0 }
    }

    @Test("sends the argument")
    func argument() async throws {
        let stage = try await CommandStage()
        let words = ["listen", "--unix", stage.socket, "test", "onEvent", #"{"id":1}"#]
        let child = try ChildProcess([try GatewayProcess.program()] + words)
        try await eventually("it listens") { stage.channel.events.listenerCount == 1 }
        #expect(stage.seen.arguments == [["id": 1]])
        child.signal(SIGTERM)
        #expect(try await child.end() == 130)
    }

    @Test("unsubscribes on ctrl-C, in so many words, and ends with 130")
    func interrupted() async throws {
        let directory = try TemporaryDirectory()
        let upstream = try RecordingUpstream(path: directory.file("up.sock"))
        let words = [try GatewayProcess.program(), "listen", "--unix", upstream.path, "--context", "me", "a", "b"]
        let child = try ChildProcess(words)
        let server = try upstream.connection()
        let opening = RecordingUpstream.opening(context: "me")
        try server.receive(count: opening.count)
        try server.send(RecordingUpstream.initialize)
        let listen = Frame.regular(IPCMessage.listen(id: 0, channel: "a", event: "b")).encoded()
        try server.receive(count: opening.count + listen.count)
        child.signal(SIGINT)
        #expect(try server.receiveToEnd() == opening + listen + Frame.regular(IPCMessage.unlisten(id: 0)).encoded())
        #expect(try await child.end(within: .seconds(5)) == 130)
    }

    @Test("ends with 124 after --timeout, saying whether events are missing")
    func timeout() async throws {
        let stage = try await CommandStage()
        let all = try Self.start(stage, ["--timeout", "0.2"])
        let few = try Self.start(stage, ["--timeout", "0.2", "--count", "2"], event: "onNothing")
        #expect(try await all.end() == 124)
        #expect(all.errors == "error: test.onEvent: ended after 0.2 s\n")
        #expect(try await few.end() == 124)
        #expect(few.errors == "error: test.onNothing: fewer than 2 events came within 0.2 s\n")
    }

    @Test("prints what has come and ends with 74 when the connection ends")
    func connectionEnds() async throws {
        let stage = try await CommandStage()
        let child = try Self.start(stage)
        try await eventually("it listens") { stage.channel.events.listenerCount == 1 }
        for number in 0..<1_000 { stage.channel.events.fire(IPCValue(number)) }
        stage.server.dispose()
        #expect(try await child.end() == 74)
        #expect(child.output == (0..<1_000).map { "\($0)\n" }.joined())
        #expect(child.errors.hasPrefix("error: test.onEvent: the connection ended: "))
    }

    @Test("ends quietly with 0 when nobody reads its output any more")
    func brokenPipe() async throws {
        let stage = try await CommandStage()
        let program = try GatewayProcess.program()
        let script = #"("$0" listen --unix "$1" test onEvent; echo "status $?" >&2) | head -1"#
        let child = try ChildProcess(["/bin/sh", "-c", script, program, stage.socket])
        try await eventually("it listens") { stage.channel.events.listenerCount == 1 }
        try await eventually("it ends") {
            stage.channel.events.fire("tick")
            return child.status != nil
        }
        try await child.end()
        #expect(child.output == "\"tick\"\n")
        #expect(child.errors == "status 0\n")
    }

    @Test("slows the server down when its output is not read, loses nothing, and still heeds ctrl-C")
    func slowReader() async throws {
        let stage = try await CommandStage()
        let fifo = stage.directory.file("fifo")
        #expect(mkfifo(fifo, 0o600) == 0)
        let script = #"exec "$0" listen --unix "$1" test onEvent > "$2""#
        let child = try ChildProcess(["/bin/sh", "-c", script, try GatewayProcess.program(), stage.socket, fifo])
        let reader = open(fifo, O_RDONLY | O_CLOEXEC)
        defer { close(reader) }
        try await eventually("it listens") { stage.channel.events.listenerCount == 1 }
        let text = IPCValue(String(repeating: "x", count: 1_000))
        for _ in 0..<20_000 { stage.channel.events.fire(text) }
        let connection = try #require(stage.server.connections.first)
        child.signal(SIGINT)
        #expect(try await child.end(within: .seconds(5)) == 130)
        #expect(await connection.waitUntilClosed().code != .slowPeer)
    }
}
