// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Requests that are not allowed", .blocking)
struct DenialTests {
    private static func bench() throws -> GatewayBench {
        try GatewayBench { configuration in
            configuration.clients = [
                #"{ match: { uri: "spiffe://example.org/dev/*" }, context: "remote:{uri.lastComponent}", "#
                    + #"allow: [{ channel: sample, call: [echo], listen: [onTick] }, "#
                    + #"{ channel: "caf\u00e9", call: ["*"] }] }"#
            ]
        }
    }

    private static func call(_ id: UInt64, _ channel: IPCString, _ command: IPCString) -> [UInt8] {
        Frame.regular(IPCMessage.call(id: id, channel: channel, command: command)).encoded()
    }

    private static func listen(_ id: UInt64, _ channel: IPCString, _ event: IPCString) -> [UInt8] {
        Frame.regular(IPCMessage.listen(id: id, channel: channel, event: event)).encoded()
    }

    private static func checkDenial(_ frame: Frame, id: UInt64) throws {
        guard case .failure(id, let error) = try IPCMessage.decode(frame.body) else {
            Issue.record("not an Error for call \(id): \(frame)")
            return
        }
        #expect(error["name"] == "AccessDenied")
        #expect(error["message"]?.string?.contains("not allowed") == true)
        #expect(error["stack"] == nil)
    }

    @Test("A denied call is answered at once with its id, without the upstream, and the connection lives on")
    func call() throws {
        let bench = try Self.bench()
        let client = try bench.open()
        let ids: [UInt64] = [0, 7, 1 << 31, (1 << 53) - 1]
        for (index, id) in ids.enumerated() {
            client.send(Self.call(id, "storage", "drop"))
            try Self.checkDenial(try client.frame(index + 1), id: id)
        }
        #expect(try bench.recording().settledConnections().isEmpty)
        client.send(Self.call(9, "sample", "echo"))
        let expected = RecordingUpstream.opening(context: "remote:alice") + Self.call(9, "sample", "echo")
        let server = try bench.recording().connection()
        #expect(try server.receive(count: expected.count) == expected)
        client.finishSending()
        #expect(try server.receiveToEnd() == expected)
        server.close()
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["denied"] == "4")
        #expect(closing["framesIn"] == "1")
    }

    @Test("A denied listen is dropped and counted")
    func listen() throws {
        let bench = try Self.bench()
        let client = try bench.open()
        client.send(
            Self.listen(0, "sample", "onSecret") + Self.listen(1, "storage", "onTick")
                + Self.listen(2, "sample", "onTick")
        )
        let expected = RecordingUpstream.opening(context: "remote:alice") + Self.listen(2, "sample", "onTick")
        let server = try bench.recording().connection()
        #expect(try server.receive(count: expected.count) == expected)
        client.finishSending()
        #expect(try server.receiveToEnd() == expected)
        server.close()
        try client.receiveToEnd()
        #expect(client.received == RecordingUpstream.initialize, "nothing is said about it")
        #expect(try bench.gateway.waitForClosings(1)["denied"] == "2")
        let denials = bench.gateway.log.filter { $0["message"] == "request denied" }
        #expect(denials.map { $0["request"] } == ["listen to 'sample.onSecret'", "listen to 'storage.onTick'"])
        #expect(denials.map { $0["level"] } == ["notice", "debug"], "the first is news")
    }

    @Test("The right to call is not the right to listen, nor the other way round")
    func separateRights() throws {
        let bench = try Self.bench()
        let client = try bench.open()
        client.send(
            Self.call(0, "sample", "onTick") + Self.listen(1, "sample", "echo") + Self.call(2, "sample", "Echo")
        )
        try Self.checkDenial(try client.frame(1), id: 0)
        try Self.checkDenial(try client.frame(2), id: 2)
        #expect(try bench.recording().settledConnections().isEmpty)
    }

    @Test("Names are compared as bytes: another spelling of the same letter is another channel")
    func spelling() throws {
        let bench = try Self.bench()
        let client = try bench.open()
        client.send(Self.call(0, "cafe\u{301}", "x"))
        try Self.checkDenial(try client.frame(1), id: 0)
        client.send(Self.call(1, "caf\u{e9}", "x"))
        let expected = RecordingUpstream.opening(context: "remote:alice") + Self.call(1, "caf\u{e9}", "x")
        #expect(try bench.recording().connection().receive(count: expected.count) == expected)
    }

    @Test("Denied and allowed requests in one write are each treated by themselves, the allowed ones in order")
    func mixed() throws {
        let bench = try Self.bench()
        let client = try bench.open()
        var write: [UInt8] = []
        var expected = RecordingUpstream.opening(context: "remote:alice")
        for id in 0..<UInt64(200) {
            let isAllowed = id % 3 == 0
            let frame = Self.call(id, isAllowed ? "sample" : "other", "echo")
            write += frame
            if isAllowed { expected += frame }
        }
        client.send(write)
        #expect(try bench.recording().connection().receive(count: expected.count) == expected)
        for (index, id) in (0..<UInt64(200)).filter({ $0 % 3 != 0 }).enumerated() {
            try Self.checkDenial(try client.frame(index + 1), id: id)
        }
    }

    @Test("What a server may not ask of its client is answered to the server, and never reaches the client")
    func reverse() throws {
        let bench = try GatewayBench(isEager: true) { configuration in
            configuration.clients = [
                #"{ match: { uri: "spiffe://example.org/dev/*" }, context: "remote:{uri.lastComponent}", "#
                    + #"allow: [{ from: server, channel: window, call: [show] }] }"#
            ]
        }
        let client = try bench.open()
        let server = try bench.recording().connection()
        let opening = RecordingUpstream.opening(context: "remote:alice")
        try server.receive(count: opening.count)
        let allowed = Self.call(1, "window", "show")
        try server.send(RecordingUpstream.initialize + Self.call(0, "window", "close") + allowed)
        let refusal = try server.receive(count: opening.count + 20)
        #expect(String(decoding: refusal, as: UTF8.self).contains("AccessDenied"))
        let expected = RecordingUpstream.initialize + allowed
        #expect(try client.receive(count: expected.count) == expected)
        client.finishSending()
        _ = try server.receiveToEnd()
        server.close()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.received == expected)
        #expect(try bench.gateway.waitForClosings(1)["denied"] == "1")
    }
}
