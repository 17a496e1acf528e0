// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import Testing

@Suite("A generated client and a generated channel")
struct GeneratedServiceTests {
    private let service = Everything(owner: "alice")
    private let channel: Loopback<EverythingServiceChannel<String>>
    private let client: any EverythingService

    init() {
        channel = Loopback(EverythingServiceChannel(service))
        client = EverythingServiceClient(channel)
    }

    @Test("send parameters as an array, without labels, and return the result")
    func parameters() async throws {
        try await client.set("a", to: "text")
        #expect(try await client.get("a") == "text")
        #expect(
            channel.passed == [
                .call("set", ["a", "text"]), .result(.undefined),
                .call("get", ["a"]), .result("text"),
            ]
        )
    }

    @Test("send an empty array where there are no parameters, and undefined where there is no result")
    func nothing() async throws {
        #expect(try await client.count() == 0)
        try await client.clear()
        #expect(
            channel.passed == [.call("count", []), .result(0), .call("clear", []), .result(.undefined)]
        )
    }

    @Test("send undefined for nil, both ways")
    func absence() async throws {
        #expect(try await client.get("nobody") == nil)
        #expect(try await client.describe(key: "k", value: nil) == "k is nothing")
        #expect(
            channel.passed == [
                .call("get", ["nobody"]), .result(.undefined),
                .call("describe", ["k", .undefined]), .result("k is nothing"),
            ]
        )
    }

    @Test("carry structures and parameters without names")
    func structures() async throws {
        let found = try await client.find(in: Place(path: "/etc", line: 3), for: ["a", "b"], true)
        #expect(found == [Place(path: "/etc/b", line: 3), Place(path: "/etc/a", line: 3)])
        #expect(try await client.repeat(times: 3) == [0, 1, 2])
    }

    @Test("leave values as they are")
    func values() async throws {
        try await client.set("buffer", to: .vsBuffer([1, 2]))
        #expect(channel.passed.first == .call("set", .array(["buffer", .vsBuffer([1, 2])])))
    }

    @Test("use names of the wire where they are given, so that overloads can travel")
    func names() async throws {
        #expect(try await client.item(2) == "number 2")
        #expect(try await client.item("x") == "named x")
        _ = client.renames
        #expect(
            channel.passed == [
                .call("getItem", [2]), .result("number 2"),
                .call("getNamedItem", ["x"]), .result("named x"),
                .listen("onRenamed", .undefined),
            ]
        )
    }

    @Test("pass on what a method throws")
    func failure() async {
        await #expect(throws: RemoteError(name: "RangeError", message: "not so few")) {
            try await client.repeat(times: -1)
        }
    }

    @Test("are untouched by names that generated code uses too")
    func clashes() async throws {
        struct Clashing: ClashingService {
            func call(_ context: Context, command: String, argument: Int) async throws -> Context {
                Context(command: "\(context.command) \(command) \(argument)")
            }
            func listen(parameters: [Int], event: Context?) async throws -> [Int] {
                parameters + (event == nil ? [] : [0])
            }
            func onDynamicClash(_ argument: Context) -> Event<Context> {
                Event(
                    AsyncStream {
                        $0.yield(argument)
                        $0.finish()
                    }
                )
            }
        }
        let client = ClashingServiceClient(Loopback(ClashingServiceChannel(Clashing())))
        let context = Context(command: "a")
        #expect(try await client.call(context, command: "b", argument: 3) == Context(command: "a b 3"))
        #expect(try await client.listen(parameters: [1], event: context) == [1, 0])
        #expect(try await client.onDynamicClash(context).first { _ in true } == context)
        #expect(try await Namespace.ping() == 1)
    }

    @Test("may belong to the main actor")
    func mainActor() async throws {
        final class Main: MainService {
            func ping() async throws -> Int { 5 }
        }
        let server = MainServiceChannel<String>(Main())
        let client = MainServiceClient(Loopback(server))
        #expect(try await client.ping() == 5)
    }
}

@Suite("A generated client")
struct GeneratedClientTests {
    private let channel = Loopback(ServiceTable<String>().on("get") { $1 })

    @Test("prepends its context to the parameters of each call")
    func context() async throws {
        let table = ServiceTable<String>().on("get") { _, _ in "x" }.on("clear") { _, _ in 3 }
        let channel = Loopback(table)
        let client = EverythingServiceClient(channel, context: ["user": 1])
        #expect(try await client.get("a") == "x")
        try await client.clear()
        #expect(
            channel.passed == [
                .call("get", [["user": 1], "a"]), .result("x"),
                .call("clear", [["user": 1]]), .result(3),
            ]
        )
    }

    @Test("prepends no context that is undefined or null, as VS Code", arguments: [IPCValue.undefined, .null])
    func noContext(context: IPCValue) async throws {
        let channel = Loopback(ServiceTable<String>().on("get") { _, _ in .undefined })
        _ = try await EverythingServiceClient(channel, context: context).get("a")
        #expect(channel.passed.first == .call("get", ["a"]))
    }

    @Test("fails when the result is not what was expected")
    func badResult() async {
        let client = EverythingServiceClient(Loopback(ServiceTable<String>().on("count") { _, _ in "many" }))
        await #expect(throws: DecodingError.self) { try await client.count() }
    }

    @Test("passes on that a method is missing")
    func missing() async {
        let client = EverythingServiceClient(Loopback(ServiceTable<String>()))
        await #expect(throws: RemoteError.methodNotFound("count")) { try await client.count() }
    }
}
