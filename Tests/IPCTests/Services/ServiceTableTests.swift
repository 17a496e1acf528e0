// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import Testing

@Suite("A table of handlers")
struct ServiceTableTests {
    private let emitter = EventEmitter<Int>()
    private let signal = EventEmitter<Void>()

    @Test("answers with what a raw handler returns")
    func raw() async throws {
        let table = ServiceTable<String>()
            .on("echo") { _, argument in argument }
            .on("who") { context, _ in .init(context) }
        #expect(try await table.call("bob", "echo", .vsBuffer([1])) == .vsBuffer([1]))
        #expect(try await table.call("bob", "who", .undefined) == "bob")
    }

    @Test("reads parameters of functions from an array")
    func typed() async throws {
        let table = ServiceTable<String>()
            .method("add") { (a: Int, b: Int) in a + b }
            .method("answer") { 42 }
            .method("maybe") { (a: Int?) async throws -> Int? in a }
            .method("join") { (parts: [String], separator: String?) in
                let separator = separator ?? ","
                return parts.joined(separator: separator)
            }
            .method("value") { (value: IPCValue) in value }
        #expect(try await table.call("", "add", [1, 2]) == 3)
        #expect(try await table.call("", "answer", []) == 42)
        #expect(try await table.call("", "answer", .undefined) == 42)
        #expect(try await table.call("", "maybe", []) == .undefined)
        #expect(try await table.call("", "join", [["a", "b"]]) == "a,b")
        #expect(try await table.call("", "join", [["a", "b"], "-", "superfluous"]) == "a-b")
        #expect(try await table.call("", "value", [.array([.undefined])]) == [.undefined])
    }

    @Test("returns undefined from functions that return nothing")
    func void() async throws {
        let table = ServiceTable<String>()
            .method("fire") { (number: Int) in emitter.fire(number) }
            .method("nothing") {}
            .methodWithContext("tell") { (context, number: Int) in emitter.fire(number + context.count) }
        let listener = Listener(emitter.event)
        #expect(try await table.call("bob", "fire", [5]) == .undefined)
        #expect(try await table.call("bob", "tell", [5]) == .undefined)
        #expect(try await table.call("bob", "nothing", []) == .undefined)
        #expect(listener.payloads == [5, 8])
    }

    @Test("tells functions who calls")
    func caller() async throws {
        let table = ServiceTable<String>()
            .methodWithContext("who") { context in context }
            .methodWithContext("greet") { (context, greeting: String) in "\(greeting), \(context)" }
        #expect(try await table.call("bob", "who", []) == "bob")
        #expect(try await table.call("bob", "greet", ["hi"]) == "hi, bob")
    }

    @Test("names the parameter that does not fit")
    func badParameter() async throws {
        let table = ServiceTable<String>().method("add") { (a: Int, b: Int) in a + b }
        let error = await #expect(throws: RemoteError.self) { try await table.call("", "add", [1]) }
        #expect(try #require(error).message.description.hasPrefix("add: parameter 2: "))
        #expect(error?.name == "InvalidArgument")
    }

    @Test("offers events, dynamic ones and signals")
    func events() throws {
        let table = ServiceTable<String>()
            .event("onDidChange", emitter.event)
            .event("onSignal", signal.event)
            .dynamicEvent("onDynamicChange") { (factor: Int) in emitter.event.map { $0 * factor } }
            .dynamicEvent("onDynamicSignal") { (_: Int?) in signal.event }
            .dynamicEventWithContext("onDynamicCaller") { (context, prefix: String) in
                emitter.event.map { "\(prefix) \(context) \($0)" }
            }
            .onListen("onRaw") { _, argument in emitter.event.map { _ in argument } }
        let listeners = [
            Listener(try table.listen("bob", "onDidChange", .undefined)),
            Listener(try table.listen("bob", "onSignal", .undefined)),
            Listener(try table.listen("bob", "onDynamicChange", 10)),
            Listener(try table.listen("bob", "onDynamicSignal", .undefined)),
            Listener(try table.listen("bob", "onDynamicCaller", "to")),
            Listener(try table.listen("bob", "onRaw", "raw")),
        ]
        emitter.fire(2)
        signal.fire()
        #expect(listeners.map(\.payloads) == [[2], [.undefined], [20], [.undefined], ["to bob 2"], ["raw"]])
        #expect(throws: RemoteError.self) { try table.listen("bob", "onDynamicChange", "x") }
    }

    @Test("knows nothing else")
    func unknown() async {
        let table = ServiceTable<String>().event("onDidChange", emitter.event).method("get") { 1 }
        await #expect(throws: RemoteError.methodNotFound("onDidChange")) {
            try await table.call("", "onDidChange", [])
        }
        #expect(throws: RemoteError.eventNotFound("get")) { try table.listen("", "get", []) }
    }

    @Test("is a value, and its last handler of a name counts")
    func value() async throws {
        let first = ServiceTable<String>().method("get") { 1 }
        let second = first.method("get") { 2 }
        #expect(try await first.call("", "get", []) == 1)
        #expect(try await second.call("", "get", []) == 2)
    }
}
