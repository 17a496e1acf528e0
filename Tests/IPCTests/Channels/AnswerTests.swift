// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Answers of a server")
struct AnswerTests {
    private struct Odd: Error, CustomStringConvertible {
        var description: String { "something odd" }
    }

    @Test("What a handler throws becomes an Error or a plain failure")
    func errors() throws {
        let channel = FunctionChannel<String>.calls { _, command, argument in
            switch command {
            case "error": throw RemoteError(name: "TypeError", message: "m", stack: "TypeError: m\n    at a\n    at b")
            case "bare": throw RemoteError(name: "E", message: "m")
            case "value": throw RemoteFailure(argument)
            case "cancel": throw CancellationError()
            case "odd": throw Odd()
            default: throw RemoteError.methodNotFound(command)
            }
        }
        let pair = try ScriptedServer(channels: ["c": channel])
        pair.call(0, "c", "error")
        pair.call(1, "c", "bare")
        pair.call(2, "c", "value", .null)
        pair.call(3, "c", "value")
        pair.call(4, "c", "cancel")
        pair.call(5, "c", "odd")
        pair.call(6, "c", "nope")
        #expect(
            try pair.sent == [
                .failure(
                    id: 0,
                    error: ["message": "m", "name": "TypeError", "stack": ["TypeError: m", "    at a", "    at b"]]
                ),
                .failure(id: 1, error: ["message": "m", "name": "E"]), .failureValue(id: 2, value: .null),
                .failureValue(id: 3, value: .undefined),
                .failure(id: 4, error: ["message": "Canceled", "name": "Canceled"]),
                .failure(id: 5, error: ["message": "something odd", "name": "Odd"]),
                .failure(id: 6, error: ["message": "Method not found: nope", "name": "CodeExpectedError"]),
            ]
        )
    }

    @Test("Handlers start in the order of the requests, answers go out in the order of completion")
    func order() async throws {
        let started = Log<IPCValue>()
        let gates = [Gate(), Gate(), Gate()]
        let channel = FunctionChannel<String>.calls { _, _, argument in
            started.append(argument)
            if case .int(let number) = argument { await gates[Int(number)].wait() }
            return argument
        }
        let pair = try ScriptedServer(channels: ["c": channel])
        for id in 0..<3 { pair.call(UInt64(id), "c", "x", IPCValue(id)) }
        pair.call(3, "c", "x", "now")
        #expect(started.entries == [0, 1, 2, "now"])
        for (count, number) in [2, 0, 1].enumerated() {
            gates[number].open()
            try await eventually("\(number) is answered") { try pair.sent.count == count + 2 }
        }
        #expect(
            try pair.sent == [
                .success(id: 3, result: "now"), .success(id: 2, result: 2), .success(id: 0, result: 0),
                .success(id: 1, result: 1),
            ]
        )
    }

    @Test("Whatever a handler sends before it ends comes before its answer, a reverse call included")
    func before() async throws {
        let emitter = EventEmitter<IPCValue>()
        let connection = Log<Connection<String>>()
        var channel = FunctionChannel<String>.event(emitter.event)
        channel.onCall = { _, _, _ in
            emitter.fire(1)
            let reverse = Task.immediate { try await connection.entries[0].channel("back").call("hello") }
            emitter.fire(2)
            _ = reverse
            return "done"
        }
        let pair = try ScriptedServer(channels: ["c": channel])
        connection.append(pair.server.connections[0])
        pair.listen(0)
        pair.call(1)
        #expect(
            try pair.sent == [
                .event(id: 0, payload: 1), .call(id: 0, channel: "back", command: "hello", argument: .undefined),
                .event(id: 0, payload: 2), .success(id: 1, result: "done"),
            ]
        )
    }

    @Test("A number that is still in use ends the connection")
    func duplicates() async throws {
        for isCall in [true, false] {
            let gate = Gate()
            defer { gate.open() }
            let channel = FunctionChannel<String>.calls { _, _, _ in
                await gate.wait()
                return .undefined
            }
            let pair = try ScriptedServer(channels: ["c": channel])
            pair.call(4)
            if isCall { pair.call(4) } else { pair.listen(4) }
            #expect(pair.transport.end?.code == .malformed)
            pair.call(5)
            #expect(pair.answering == nil || pair.answering?.openCount == 0, "nothing is served any more")
            try await eventually("it is gone") { pair.server.connections.isEmpty }
            #expect(try pair.sent.isEmpty)
        }
    }

    @Test("A subscription to an unknown event is reported, answered by nobody, and harms nothing")
    func unknownEvent() throws {
        let reports = Log<String>()
        var options = ConnectionOptions()
        options.report = { reports.append($0) }
        let pair = try ScriptedServer(options: options, channels: ["c": .calls { _, _, argument in argument }])
        pair.listen(0, "c", "onNope")
        pair.call(1, "c", "x", "alive")
        #expect(try pair.sent == [.success(id: 1, result: "alive")])
        #expect(reports.count == 1 && reports.entries[0].contains("c.onNope"))
        pair.unlisten(0)
        #expect(pair.answering?.openCount == 0)
    }

    @Test("A message that is larger than allowed ends the connection")
    func tooLargeToTake() throws {
        var options = ConnectionOptions()
        options.limits.frameBytes = 1_000
        let pair = try ScriptedServer(options: options, channels: [:])
        pair.call(0, "c", "x", IPCValue(String(repeating: "x", count: 1_000)))
        #expect(pair.transport.end?.code == .malformed)
    }

    @Test("An Error is printed as JavaScript prints it")
    func printed() {
        #expect("\(RemoteError(name: "TypeError", message: "m"))" == "TypeError: m")
        #expect("\(RemoteError(name: "", message: "m"))" == "m")
        #expect("\(RemoteError(name: nil, message: "m"))" == "Error: m")
        #expect("\(RemoteError(name: "E", message: ""))" == "E")
    }

    @Test("A result or failure that is too large for the peer is answered with an Error, an event is dropped")
    func tooLarge() throws {
        let emitter = EventEmitter<IPCValue>()
        let reports = Log<String>()
        var options = ConnectionOptions()
        options.limits = IPCLimits(frameBytes: 1_000)
        options.report = { reports.append($0) }
        let large = IPCValue(String(repeating: "x", count: 1_000))
        var channel = FunctionChannel<String>.event(emitter.event)
        channel.onCall = { _, command, _ in
            if command == "fails" { throw RemoteFailure(large) }
            if command == "errs" { throw RemoteError(name: "E", message: IPCString(large.string ?? "")) }
            return large
        }
        let pair = try ScriptedServer(options: options, channels: ["c": channel])
        for (id, command) in ["x", "fails", "errs"].enumerated() { pair.call(UInt64(id), "c", IPCString(command)) }
        pair.listen(3)
        emitter.fire(large)
        emitter.fire("small")
        let answers = try pair.sent
        #expect(answers.count == 4)
        for answer in answers.dropLast() {
            guard case .failure(_, let error) = answer else {
                Issue.record("\(answer)")
                continue
            }
            #expect(error["name"] == "ResultTooLarge")
        }
        #expect(answers.last == .event(id: 3, payload: "small"))
        #expect(reports.count == 1)
    }

    @Test("More open requests than allowed are refused: calls by Busy, subscriptions by a report")
    func busy() async throws {
        let gate = Gate()
        let emitter = EventEmitter<IPCValue>()
        let reports = Log<String>()
        var options = ConnectionOptions()
        options.openCallLimit = 2
        options.report = { reports.append($0) }
        var channel = FunctionChannel<String>.event(emitter.event)
        channel.onCall = { _, _, _ in
            await gate.wait()
            return "done"
        }
        let pair = try ScriptedServer(options: options, channels: ["c": channel])
        pair.call(0)
        pair.listen(1)
        pair.call(2)
        pair.listen(3)
        #expect(emitter.listenerCount == 1)
        #expect(reports.count == 1)
        guard case .failure(id: 2, let error) = try pair.sent.first else {
            Issue.record("no answer")
            return
        }
        #expect(error["name"] == "Busy")
        pair.unlisten(1)
        pair.listen(3)
        #expect(emitter.listenerCount == 1, "there is room again, also for a number that was refused")
        gate.open()
        try await eventually("the call is answered") { try pair.sent.last == .success(id: 0, result: "done") }
    }

    @Test("A strict server ends the connection over a message nobody can read, a lenient one drops it")
    func decoding() async throws {
        for mode in [ValueDecoder.Mode.strict, .lenient] {
            let reports = Log<String>()
            var options = ConnectionOptions()
            options.decoding = mode
            options.report = { reports.append($0) }
            let started = Log<IPCString>()
            let channel = FunctionChannel<String>.calls { _, command, _ in
                started.append(command)
                return .undefined
            }
            let pair = try ScriptedServer(options: options, channels: ["c": channel])
            pair.transport.deliver([5, 1, 0x7b])
            pair.call(0, "c", "after")
            #expect(reports.count == 1)
            #expect(started.entries == (mode == .strict ? [] : ["after"]))
            #expect(pair.transport.end?.code == (mode == .strict ? .malformed : nil))
            if mode == .strict { try await eventually("it is gone") { pair.server.connections.isEmpty } }
        }
    }

    @Test("Registering a name again replaces the channel for new requests, subscriptions keep the old one")
    func replaced() throws {
        let (old, new) = (EventEmitter<IPCValue>(), EventEmitter<IPCValue>())
        let pair = try ScriptedServer(channels: ["c": .event(old.event)])
        pair.listen(0)
        pair.server.registerChannel("c", FunctionChannel<String>.event(new.event))
        pair.listen(1)
        old.fire("old")
        new.fire("new")
        #expect(try pair.sent == [.event(id: 0, payload: "old"), .event(id: 1, payload: "new")])
    }

    @Test("A subscription that comes before a call is active when the handler of the call starts")
    func subscribedFirst() async throws {
        let pair = try ServedPair()
        let heard = Log<IPCValue>()
        let channel = pair.client.channel("echo")
        let subscription = channel.listen("onTick").subscribe { heard.append($0) }
        #expect(try await channel.call("tick", 1) == "ticked")
        #expect(heard.entries == [1])
        subscription.cancel()
    }
}
