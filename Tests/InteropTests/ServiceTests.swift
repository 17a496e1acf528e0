// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Synchronization
import Testing

extension InteropTests {
    @Suite("Services, the way VS Code's proxies call them")
    struct Services {
        /// A service by hand: the argument of a call is the array of the parameters.
        private final class HandmadeService: ServerChannel {
            let changes = EventEmitter<IPCValue>()
            let calls = Mutex<[IPCValue]>([])

            func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
                calls.withLock { $0.append([.string(command), argument]) }
                switch command {
                case "add":
                    return IPCValue(argument.array?.compactMap(\.double).reduce(0, +) ?? 0)
                case "parent":
                    let uri = try IPCValueDecoder().decode([IPCURI].self, from: argument)[0]
                    let path = uri.path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
                    let parent = IPCURI(scheme: uri.scheme, authority: uri.authority, path: path)
                    return try IPCValueEncoder().encode(parent)
                case "echo":
                    return argument
                default:
                    throw RemoteError.methodNotFound(command)
                }
            }

            func listen(_ context: IPCValue, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
                switch event {
                case "onDidChange":
                    changes.event
                case "onDynamicCount":
                    Event { sink in
                        for index in 0..<Int(argument.double ?? 0) { sink.send(IPCValue(index)) }
                        return EventSubscription()
                    }
                default:
                    throw RemoteError.eventNotFound(event)
                }
            }
        }

        private static let uri = IPCURI(filePath: "/tmp/a b/é.txt")

        @Test("Swift calls a service in JavaScript", arguments: Setting.all)
        func methodsInNode(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let service = bench.channel("nodeService")
                #expect(try await service.call("add", [1, 2, 3.5]) == 6.5)
                #expect(try await service.call("add", []) == 0)
                let parameters: [IPCValue] = [
                    .undefined, .null, .buffer([1]), .vsBuffer([2]), [.vsBuffer([3])], "x", ["a": [1]], ["$mid": "1"],
                    ["$mid": 2, "source": "a+", "flags": "g"], ["$mid": 17, "source": 5], ["$mid": 3],
                    try IPCValueEncoder().encode(Self.uri),
                ]
                let text = try #require(try await service.call("describe", .array(parameters)).string)
                let described = try JSONText.parse(Array(text.utf8).span, in: 0..<text.utf8.count).array
                #expect(described?.prefix(8) == parameters.prefix(8).map(\.described)[...])
                #expect(
                    described?.dropFirst(8) == [
                        ["t": "regexp", "v": "/a+/g"], ["t": "date", "v": 5], (["$mid": 3] as IPCValue).described,
                        ["t": "uri", "v": ["file", "", "/tmp/a b/é.txt", "", ""]],
                    ]
                )
                let parent = try await service.call("parent", [try IPCValueEncoder().encode(Self.uri)])
                #expect(try IPCValueDecoder().decode(IPCURI.self, from: parent) == IPCURI(filePath: "/tmp/a b"))
                await #expect(throws: RemoteError.self) { try await service.call("nothing", []) }
                let broken: IPCValue = ["$mid": 2, "source": "(", "flags": ""]
                let error = await #expect(throws: RemoteError.self) { try await service.call("describe", [broken]) }
                #expect(error?.name == "SyntaxError")
            }
        }

        @Test("JavaScript calls a service in Swift", arguments: Setting.all)
        func methodsInSwift(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let service = HandmadeService()
                bench.register("swiftService", service)
                func call(
                    _ method: IPCString,
                    _ parameters: [IPCValue],
                    context: IPCValue? = nil
                ) async throws -> Outcome {
                    var order: IPCObject = [
                        "channel": "swiftService", "method": .string(method),
                        "parameters": .array(parameters.map(\.described)),
                    ]
                    order["context"] = context?.described
                    return Outcome(try await bench.node.ask("method", order))
                }
                #expect(try await call("add", [1, 2, 3.5]) == .value(6.5))
                #expect(try await call("add", []) == .value(0))
                let parameters: [IPCValue] = [.undefined, .buffer([1]), [.vsBuffer([2])], ["a": 1]]
                #expect(try await call("echo", parameters) == .value(.array(parameters)))
                #expect(try await call("echo", [1], context: "window:7") == .value(["window:7", 1]))
                #expect(try await call("echo", [], context: ["a": 1]) == .value([["a": 1]]))
                let parent = try await call("parent", [.native("uri")])
                #expect(parent == .success(["t": "uri", "v": ["file", "", "/tmp", "", ""]]))
                #expect(try await call("parent", [.native("formattedURI")]) == parent)
                #expect(try await call("nothing", []).errorName == "CodeExpectedError")
                #expect(
                    service.calls.withLock { $0.prefix(2) } == [["add", [1, 2, 3.5]], ["add", []]]
                )
            }
        }

        @Test("Events of services, dynamic ones included, fire both ways", arguments: Setting.all)
        func events(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                // What a service in JavaScript fires before anybody listens is kept for the first who does.
                try await bench.node.ask("change", ["payload": IPCValue("early").described])
                var changes = bench.channel("nodeService").listen("onDidChange").makeAsyncIterator()
                #expect(try await changes.next() == "early")
                // Payloads are not revived: what is marked stays as it is.
                try await bench.node.ask("change", ["payload": IPCValue.native("uri").described])
                let uri = try #require(try await changes.next())
                #expect(IPCMarker.kind(of: uri) == .uri)
                var counts = bench.channel("nodeService").listen("onDynamicCount", 3).makeAsyncIterator()
                for index in 0..<3 { #expect(try await counts.next() == IPCValue(index)) }

                let service = HandmadeService()
                bench.register("swiftService", service)
                let node = bench.node
                try await node.ask(
                    "serviceEvent",
                    ["name": "changes", "channel": "swiftService", "event": "onDidChange"]
                )
                try await eventually("Node listens") { service.changes.listenerCount == 1 }
                service.changes.fire("changed")
                service.changes.fire(try IPCValueEncoder().encode(Self.uri))
                let payloads = try await node.payloads("changes", count: 2)
                #expect(payloads.array?.first == IPCValue("changed").described)
                #expect(payloads.array?.last?["t"] == "object")
                try await node.unlisten("changes")
                try await eventually("Node does not listen") { service.changes.listenerCount == 0 }
                try await node.ask(
                    "serviceEvent",
                    [
                        "name": "counts", "channel": "swiftService", "event": "onDynamicCount",
                        "argument": IPCValue(3).described,
                    ]
                )
                let expected: [IPCValue] = [0, 1, 2]
                #expect(try await node.payloads("counts", count: 3) == .array(expected.map(\.described)))
            }
        }
    }
}
