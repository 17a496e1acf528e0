// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("A requester")
struct ChannelRequesterTests {
    private func message(_ bytes: [UInt8]) throws -> DecodedMessage {
        try IPCMessage.decode(bytes)
    }

    /// A requester whose peer is ready.
    private func ready() -> ChannelRequester {
        var requester = ChannelRequester()
        _ = requester.receive(.initialize)
        return requester
    }

    /// Replays a conversation of calls: each recorded call is made again, and has to give the recorded bytes.
    private func replayCalls(_ name: String) throws -> [ChannelRequester.Event] {
        var requester = ready()
        var events: [ChannelRequester.Event] = []
        for step in try Vectors.conversation(name).frames.dropFirst(3) {
            switch (step.direction, try message(step.body)) {
            case (.clientToServer, .call(_, let channel, let command, let argument)):
                #expect(requester.call(channel, command, argument).message == step.body)
            case (.serverToClient, let answer):
                let event = requester.receive(answer)
                events.append(try #require(event))
                #expect(requester.receive(answer) == nil, "a second answer is ignored")
            default:
                Issue.record("unexpected message in \(name)")
            }
        }
        #expect(requester.outstandingCount == 0)
        return events
    }

    @Test("makes the recorded calls byte for byte and reports each result once")
    func success() throws {
        let events = try replayCalls("call-success")
        #expect(!events.isEmpty)
        for (index, event) in events.enumerated() {
            guard case .answered(id: UInt64(index), .success) = event else {
                Issue.record("\(event)")
                continue
            }
        }
    }

    @Test("tells Errors from other failures")
    func failures() throws {
        let events = try replayCalls("call-error")
        let stack = "Error: boom\n    at first (file.js:1:1)\n    at second (file.js:2:2)"
        let unknown = "Unknown command: nope"
        #expect(
            events == [
                .answered(id: 0, .failure(RemoteError(name: "Error", message: "boom", stack: IPCString(stack)))),
                .answered(id: 1, .failure(RemoteError(name: "TypeError", message: "no stack"))),
                .answered(
                    id: 2,
                    .failure(
                        RemoteError(name: "Error", message: IPCString(unknown), stack: "Error: Unknown command: nope")
                    )
                ),
                .answered(id: 3, .failureValue("text")),
                .answered(id: 4, .failureValue(["code": 7])),
                .answered(id: 5, .failureValue(.undefined)),
                .answered(id: 6, .failureValue(.null)),
            ]
        )
    }

    @Test("cancels as recorded: the late answer is swallowed, ids of calls never made are used up")
    func cancel() throws {
        let conversation = try Vectors.conversation("cancel")
        let sent = conversation.messages(.clientToServer).dropFirst(2)
        let answers = try conversation.messages(.serverToClient).dropFirst().map(message)
        var requester = ready()
        var written: [[UInt8]?] = []
        written.append(requester.call("test", "cancellable").message)
        written.append(requester.cancel(0))
        #expect(requester.cancel(0) == nil)
        #expect(requester.outstandingCount == 1)
        #expect(requester.receive(answers[0]) == nil)
        #expect(requester.outstandingCount == 0)
        written.append(requester.call("test", "release").message)
        written.append(requester.cancel(1))
        #expect(requester.receive(answers[1]) == nil)
        #expect(requester.takeID() == 2)
        written.append(requester.call("test", "echo", "y").message)
        #expect(requester.receive(answers[2]) == .answered(id: 3, .success("y")))
        #expect(requester.cancel(3) == nil)
        #expect(written == Array(sent))
    }

    @Test("subscribes as recorded, using the id of an ended subscription again")
    func events() throws {
        let conversation = try Vectors.conversation("events")
        var requester = ready()
        var written: [[UInt8]?] = []
        var fired: [ChannelRequester.Event] = []
        func receive(_ range: Range<Int>) throws {
            for body in conversation.messages(.serverToClient)[range] {
                let event = requester.receive(try message(body))
                fired.append(try #require(event))
            }
        }
        written.append(requester.listen("test", "onPing", ["filter": "x"]).message)
        try receive(1..<5)
        written.append(requester.unlisten(0))
        #expect(requester.receive(.event(id: 0, payload: "late")) == nil)
        written.append(requester.listen("test", "onPing", ["filter": "x"], reusing: 0).message)
        written.append(requester.listen("test", "onPing").message)
        try receive(5..<7)
        written.append(requester.unlisten(0))
        written.append(requester.unlisten(1))
        #expect(written == Array(conversation.messages(.clientToServer).dropFirst(2)))
        #expect(
            fired == [
                .fired(id: 0, payload: "one"), .fired(id: 0, payload: .undefined),
                .fired(id: 0, payload: [1, .vsBuffer([10])]), .fired(id: 0, payload: "two"),
                .fired(id: 0, payload: "three"), .fired(id: 1, payload: "three"),
            ]
        )
        #expect(requester.outstandingCount == 0)
    }

    @Test("holds requests back until the peer is ready, and never sends what was withdrawn meanwhile")
    func beforeInitialize() throws {
        let conversation = try Vectors.conversation("before-initialize")
        let sent = Array(conversation.messages(.clientToServer).dropFirst(2))
        var requester = ChannelRequester()
        #expect(requester.call("test", "echo", 0).message == nil)
        #expect(requester.listen("test", "onPing").message == nil)
        #expect(requester.call("test", "echo", 2).id == 2)
        #expect(requester.cancel(2) == nil)
        #expect(requester.listen("test", "onPing").id == 3)
        #expect(requester.unlisten(3) == nil)
        #expect(requester.call("test", "echo", 4).id == 4)
        #expect(requester.receive(.success(id: 0, result: "forged")) == nil)
        let answers = try conversation.messages(.serverToClient).map(message)
        #expect(requester.receive(answers[0]) == .ready(released: Array(sent[..<3])))
        #expect(requester.receive(answers[0]) == .ready(released: []))
        #expect(requester.receive(answers[1]) == .answered(id: 0, .success(0)))
        #expect(requester.receive(answers[2]) == .answered(id: 4, .success(4)))
        #expect(requester.unlisten(1) == sent[3])
        #expect(requester.outstandingCount == 0)
    }

    @Test("takes any answer to a subscription as an event, no event as an answer to a call, and ignores requests")
    func crossedKinds() {
        var requester = ready()
        let subscription = requester.listen("c", "onX").id
        let call = requester.call("c", "x").id
        #expect(requester.receive(.failureValue(id: subscription, value: 1)) == .fired(id: subscription, payload: 1))
        #expect(requester.receive(.event(id: call, payload: 1)) == nil)
        #expect(requester.receive(.success(id: 99, result: 1)) == nil)
        #expect(requester.receive(.cancel(id: call)) == nil)
        #expect(
            requester.receive(.failure(id: call, error: .undefined))
                == .answered(
                    id: call,
                    .failure(RemoteError(name: nil, message: ""))
                )
        )
        #expect(requester.listen("c", "onY", reusing: subscription).id == 2)
        #expect(requester.listen("c", "onY", reusing: 500).id == 3)
    }
}
