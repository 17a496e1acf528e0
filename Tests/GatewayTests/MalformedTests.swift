// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Malformed bytes", .blocking)
struct MalformedTests {
    /// How much memory the gateway may gain over a whole table.
    static let memoryBound = 24 << 20

    /// A gateway with one connection that goes on working all the time.
    private struct Scene {
        let bench: GatewayBench
        let witness: TestClient
        let witnessed: UpstreamConnection
        let residentBytes: Int
        private var calls: UInt64 = 0
        private var dialled = 1
        private var closings = 0

        init() throws {
            bench = try GatewayBench(isEager: true)
            witness = try bench.open(try bench.ops())
            witnessed = try bench.recording().connection()
            try witnessed.send(RecordingUpstream.initialize)
            residentBytes = try bench.gateway.residentBytes()
        }

        /// A connection of another client, whose upstream is dialled and ready.
        ///
        /// - Parameter listens: Whether the client has subscribed to an event.
        mutating func open(listens: Bool = false) throws -> (client: TestClient, server: UpstreamConnection) {
            let client = try bench.open()
            let server = try bench.recording().connection(dialled)
            dialled += 1
            try server.receive(count: RecordingUpstream.opening(context: "remote:alice").count)
            try server.send(RecordingUpstream.initialize)
            if listens { _ = try Sample.subscribe(client, server, ids: 5..<6) }
            return (client, server)
        }

        /// Waits for the end of the other client's connection, and for the answer to a call on the first one.
        mutating func closing(_ name: String) throws -> GatewayProcess.LogLine {
            closings += 1
            let closing = try bench.gateway.waitForClosings(closings)
            let sent = witnessed.receivedCount
            let answered = witness.received.count
            let call = Frame.regular(IPCMessage.call(id: calls, channel: "c", command: "d")).encoded()
            let answer = Frame.regular(IPCMessage.success(id: calls)).encoded()
            calls += 1
            witness.send(call)
            #expect(try witnessed.receive(count: sent + call.count).suffix(call.count) == call[...], "\(name)")
            try witnessed.send(answer)
            #expect(try witness.receive(count: answered + answer.count).suffix(answer.count) == answer[...], "\(name)")
            return closing
        }

        func finish() throws {
            let growth = try bench.gateway.residentBytes() - residentBytes
            #expect(growth < MalformedTests.memoryBound, "the gateway's memory grew by \(growth >> 10) KiB")
            witness.disappear(reset: false)
            #expect(try bench.gateway.stop() == 0)
            #expect(bench.gateway.closings.count == closings + 1, "one line for each connection")
        }
    }

    private static let good = Frame.regular(IPCMessage.call(id: 5, channel: "c", command: "first")).encoded()

    private func checkFromClient(_ cases: [MalformedFrame]) throws {
        var scene = try Scene()
        let expected = RecordingUpstream.opening(context: "remote:alice") + Self.good
        for malformed in cases {
            let (client, server) = try scene.open()
            client.send(Self.good + malformed.bytes)
            #expect(try client.receiveToEnd() == .inOrder, "\(malformed.name)")
            #expect(client.errorCode == "malformed", "\(malformed.name)")
            #expect(try server.receiveToEnd() == expected, "\(malformed.name): only what came before it is passed")
            #expect(try scene.closing(malformed.name)["reason"] == malformed.reason, "\(malformed.name)")
            server.close()
        }
        try scene.finish()
    }

    @Test("A client's malformed message closes its connection, and no byte of it is passed on")
    func messages() throws {
        try checkFromClient(MalformedFrame.messages)
    }

    @Test("A call that is cut after any byte closes the connection")
    func cutMessages() throws {
        try checkFromClient(MalformedFrame.cutMessages)
    }

    @Test("A frame that is not the plain protocol's closes the connection")
    func frames() throws {
        try checkFromClient(MalformedFrame.frames)
    }

    @Test("A connection that ends inside a frame is closed with a reason of its own", arguments: [true, false])
    func cutConnections(closeNotify: Bool) throws {
        var scene = try Scene()
        let frame = Frame.regular(MalformedFrame.call).encoded()
        let expected = RecordingUpstream.opening(context: "remote:alice") + Self.good
        for count in 1..<frame.count {
            let (client, server) = try scene.open()
            client.send(Self.good + frame[..<count])
            client.finishSending(closeNotify: closeNotify)
            #expect(try client.receiveToEnd() == .inOrder)
            #expect(try server.receiveToEnd() == expected, "\(count) bytes")
            #expect(try scene.closing("\(count) bytes")["reason"] == "ended-inside-frame", "\(count) bytes")
            server.close()
        }
        try scene.finish()
    }

    @Test("A malformed context closes the connection before the upstream is dialled")
    func contexts() throws {
        let bench = try GatewayBench(isEager: true)
        let cut = Frame.regular(IPCMessage.context("somebody")).encoded()
        for (index, malformed) in MalformedFrame.contexts.enumerated() {
            let client = try bench.connect()
            client.send(malformed.bytes + Self.good)
            #expect(try client.receiveToEnd() == .inOrder, "\(malformed.name)")
            #expect(client.errorCode == "malformed", "\(malformed.name)")
            #expect(client.frames.count == 1, "no [200]")
            #expect(try bench.gateway.waitForClosings(index + 1)["reason"] == malformed.reason, "\(malformed.name)")
        }
        for count in 1..<cut.count {
            let client = try bench.connect()
            client.send(Array(cut[..<count]))
            client.finishSending()
            #expect(try client.receiveToEnd() == .inOrder)
            let closing = try bench.gateway.waitForClosings(MalformedFrame.contexts.count + count)
            #expect(closing["reason"] == "ended-inside-frame", "\(count) bytes")
        }
        #expect(try bench.recording().settledConnections().isEmpty)
    }

    @Test("What an upstream sends malformed closes the client's connection, and no byte of it is passed on")
    func fromUpstream() throws {
        var scene = try Scene()
        let event = Frame.regular(IPCMessage.event(id: 5, payload: "good")).encoded()
        for malformed in MalformedFrame.messages + MalformedFrame.cutMessages + MalformedFrame.frames.suffix(20) {
            let (client, server) = try scene.open(listens: true)
            try server.send(event + malformed.bytes)
            #expect(try client.receiveToEnd() == .inOrder, "\(malformed.name)")
            let regular = client.frames.filter { $0.type == .regular }.flatMap { $0.encoded() }
            #expect(regular == RecordingUpstream.initialize + event, "\(malformed.name)")
            #expect(client.errorCode == "upstream-unavailable", "\(malformed.name)")
            #expect(client.frames.count == 3, "\(malformed.name)")
            let closing = try scene.closing(malformed.name)
            #expect(closing["reason"] == "upstream-malformed", "\(malformed.name)")
            #expect(closing["detail"]?.contains("(\(malformed.reason))") == true, "\(malformed.name): \(closing)")
            try server.receiveToEnd()
            server.close()
        }
        try scene.finish()
    }

    @Test("An upstream that closes inside a frame is malformed, after any byte")
    func cutUpstream() throws {
        var scene = try Scene()
        let event = Frame.regular(IPCMessage.event(id: 5, payload: "good")).encoded()
        for count in 1..<event.count {
            let (client, server) = try scene.open(listens: true)
            try server.send(event + event[..<count])
            server.close()
            #expect(try client.receiveToEnd() == .inOrder)
            #expect(client.frames.count == 3)
            #expect(client.frames[1].encoded() == event)
            #expect(client.errorCode == "upstream-unavailable")
            #expect(try scene.closing("\(count) bytes")["reason"] == "upstream-malformed")
        }
        try scene.finish()
    }
}
