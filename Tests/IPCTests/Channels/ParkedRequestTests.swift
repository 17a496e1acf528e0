// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Requests for channels that nobody has registered")
struct ParkedRequestTests {
    private static let mirror = FunctionChannel<String>.calls { _, command, argument in [.string(command), argument] }

    private func options(timeout: Duration = .seconds(60)) -> ConnectionOptions {
        var options = ConnectionOptions()
        options.unknownChannelTimeout = timeout
        return options
    }

    @Test("They are served in their order when the channel is registered, and before what comes later")
    func late() async throws {
        let emitter = EventEmitter<IPCValue>()
        let started = Log<IPCValue>()
        var channel = FunctionChannel<String>.event(emitter.event)
        channel.onCall = { _, _, argument in
            started.append(argument)
            emitter.fire(argument)
            return argument
        }
        let pair = try ScriptedServer(options: options())
        for id in 0..<3 { pair.call(UInt64(id), "late", "x", IPCValue(id)) }
        pair.call(3, "other")
        pair.listen(4, "late")
        pair.call(5, "late", "x", 5)
        #expect(try pair.sent.isEmpty)
        pair.server.registerChannel("late", channel)
        pair.call(6, "late", "x", 6)
        try await eventually("all are answered") { try pair.sent.count == 7 }
        #expect(started.entries == [0, 1, 2, 5, 6])
        #expect(
            try pair.sent == [
                .success(id: 0, result: 0), .success(id: 1, result: 1), .success(id: 2, result: 2),
                .event(id: 4, payload: 5), .success(id: 5, result: 5), .event(id: 4, payload: 6),
                .success(id: 6, result: 6),
            ]
        )
        #expect(pair.answering?.openCount == 2, "the other channel is still waited for, and the subscription lives")
    }

    @Test("A call that waits too long gets the Error of VS Code, its name first; a subscription hears nothing")
    func timeout() async throws {
        let pair = try ScriptedServer(options: options(timeout: .milliseconds(20)))
        pair.listen(0, "nobody")
        pair.call(1, "nobody")
        try await eventually("the call is answered") { try pair.sent.count == 1 }
        let error: IPCValue = [
            "name": "Unknown channel", "message": "Channel name 'nobody' timed out after 20ms",
        ]
        #expect(pair.transport.sent[1] == IPCMessage.failure(id: 1, error: error))
        #expect(pair.answering?.openCount == 1)
        pair.call(2, "nobody")
        try await eventually("one that comes later is answered, too") { try pair.sent.count == 2 }
        let emitter = EventEmitter<IPCValue>()
        pair.server.registerChannel("nobody", FunctionChannel<String>.event(emitter.event))
        pair.call(3, "nobody")
        try await eventually("the new channel serves") { try pair.sent.count == 3 }
        #expect(emitter.listenerCount == 0, "what timed out is not run later")
    }

    @Test("Their number is bounded, and so are their bytes")
    func bounded() throws {
        let reports = Log<String>()
        var options = options()
        options.parkedRequestLimit = 2
        options.report = { reports.append($0) }
        let few = try ScriptedServer(options: options)
        for id: UInt64 in 0..<3 { few.call(id, "late") }
        few.listen(3, "late")
        #expect(try few.sent.map(Self.errorName) == ["Busy"])
        #expect(reports.count == 1)

        options.parkedRequestLimit = 1_000
        options.heldRequestBytes = 1_000
        let small = try ScriptedServer(options: options)
        for id: UInt64 in 0..<3 { small.call(id, "late", "x", .vsBuffer([UInt8](repeating: 0, count: 450))) }
        #expect(try small.sent.map(Self.errorName) == ["Busy"])
    }

    @Test("One that is cancelled is not run: a call is answered with Canceled, a subscription comes to nothing")
    func cancelled() async throws {
        let emitter = EventEmitter<IPCValue>()
        let started = Log<IPCValue>()
        var channel = FunctionChannel<String>.event(emitter.event)
        channel.onCall = { _, _, argument in
            started.append(argument)
            return argument
        }
        let pair = try ScriptedServer(options: options())
        pair.call(0, "late", "x", "cancelled")
        pair.listen(1, "late")
        pair.call(2, "late", "x", "kept")
        pair.cancel(0)
        pair.unlisten(1)
        #expect(try pair.sent.isEmpty)
        pair.server.registerChannel("late", channel)
        try await eventually("both calls are answered") { try pair.sent.count == 2 }
        #expect(
            try pair.sent == [
                .failure(id: 0, error: ["message": "Canceled", "name": "Canceled"]), .success(id: 2, result: "kept"),
            ]
        )
        #expect(started.entries == ["kept"])
        #expect(emitter.listenerCount == 0)
        #expect(pair.answering?.openCount == 0)
    }

    @Test("A cancelled call whose channel never comes is answered when its time is over")
    func cancelledForever() async throws {
        let pair = try ScriptedServer(options: options(timeout: .milliseconds(20)))
        pair.call(0, "nobody")
        pair.cancel(0)
        try await eventually("it is answered") { try pair.sent.count == 1 }
        #expect(pair.answering?.openCount == 0)
    }

    @Test("They are dropped when the client leaves, and nothing keeps the connection")
    func dropped() async throws {
        let pair = try ScriptedServer(options: options())
        let observed = Observed(try #require(pair.answering))
        pair.call(0, "late")
        pair.listen(1, "late")
        pair.transport.endFromPeer(.lost)
        try await eventually("it is released") { observed.isGone }
        pair.server.registerChannel("late", Self.mirror)
        #expect(try pair.sent.isEmpty)
    }

    private static func errorName(_ message: DecodedMessage) -> String? {
        if case .failure(_, let error) = message { error["name"]?.string } else { nil }
    }
}

extension ConnectionEnd {
    /// A connection that broke.
    static let lost = Self(.lost, "the network is gone")
}
