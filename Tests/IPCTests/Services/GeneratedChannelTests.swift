// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import Testing

@Suite("A generated channel")
struct GeneratedChannelTests {
    private let service = Everything(owner: "alice")
    private let channel: EverythingServiceChannel<String>

    init() {
        channel = EverythingServiceChannel(service)
    }

    @Test("asks the service of who calls")
    func perCaller() async throws {
        let channel = EverythingServiceChannel<String> { caller in
            let service = Everything(owner: caller)
            return service
        }
        #expect(try await channel.call("bob", "get", ["owner"]) == "bob")
        #expect(try await channel.call("carol", "get", ["owner"]) == "carol")
        _ = EverythingServiceChannel<Int> { Everything(owner: "\($0)") }
    }

    @Test(
        "has no method by the name of an event, of an unknown one, or of another case",
        arguments: ["onDidChange", "onDynamicChange", "item", "nothing", "", "Get", "__proto__"] as [IPCString]
    )
    func unknownMethod(name: IPCString) async {
        await #expect(throws: RemoteError.methodNotFound(name)) { try await channel.call("", name, ["a"]) }
    }

    @Test("has no event by the name of a method or of an unknown one", arguments: ["get", "onNothing"] as [IPCString])
    func unknownEvent(name: IPCString) {
        #expect(throws: RemoteError.eventNotFound(name)) { try channel.listen("", name, .undefined) }
    }

    @Test("without requirements answers nothing")
    func empty() async {
        struct Empty: EmptyService {}
        let channel = EmptyServiceChannel<Int>(Empty())
        await #expect(throws: RemoteError.methodNotFound("a")) { try await channel.call(1, "a", []) }
        #expect(throws: RemoteError.eventNotFound("onA")) { try channel.listen(1, "onA", []) }
    }

    @Test("reads parameters that are missing as undefined, and ignores superfluous ones")
    func counts() async throws {
        #expect(try await channel.call("", "describe", ["k"]) == "k is nothing")
        #expect(try await channel.call("", "describe", ["k", .null, 1, 2]) == "k is nothing")
        #expect(try await channel.call("", "count", [1]) == 0)
        #expect(try await channel.call("", "set", ["a"]) == .undefined)
        #expect(try await channel.call("", "count", .undefined) == 1)
    }

    @Test(
        "names the parameter that does not fit",
        arguments: [
            ("get", .array([]), "get: parameter 1 (key): "),
            ("get", .undefined, "get: parameter 1 (key): "),
            ("get", [1], "get: parameter 1 (key): "),
            ("describe", ["k", "v"], "describe: parameter 2 (value): "),
            ("repeat", ["v"], "repeat: parameter 1 (count): "),
            ("find", [["path": "x"], ["a", 1]], "find: parameter 2 (for): at [1]: "),
            ("find", [["path": 1], []], "find: parameter 1 (place): at .path: "),
            ("find", [["path": "x"], [], 5], "find: parameter 3: "),
            ("getItem", ["x"], "getItem: parameter 1 (index): "),
        ] as [(IPCString, IPCValue, String)]
    )
    func badParameter(command: IPCString, argument: IPCValue, beginning: String) async throws {
        let error = await #expect(throws: RemoteError.self) { try await channel.call("", command, argument) }
        #expect(error?.name == "InvalidArgument")
        let message = try #require(error).message.description
        #expect(message.hasPrefix(beginning), "\(message)")
        #expect(message.count > beginning.count)
    }

    @Test("refuses an argument that is no array of parameters", arguments: ["a", 1, ["a": 1], true] as [IPCValue])
    func badArgument(argument: IPCValue) async {
        let expected = RemoteError(name: "InvalidArgument", message: "get: expected an array of parameters")
        await #expect(throws: expected) { try await channel.call("", "get", argument) }
    }

    @Test("names the argument of a dynamic event that does not fit")
    func badDynamicArgument() throws {
        let error = #expect(throws: RemoteError.self) { try channel.listen("", "onDynamicChange", ["a"]) }
        #expect(try #require(error).message.description.hasPrefix("onDynamicChange: argument (key): "))
    }
}
