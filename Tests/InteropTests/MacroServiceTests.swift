// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import Testing

/// What the service in `subject.mjs` has, in Swift.
@IPCService
protocol InteropService: Sendable {
    func add(_ one: Double, _ other: Double) async throws -> Double
    func describe(_ text: String?, _ bytes: VSBuffer, _ buffer: IPCBuffer) async throws -> String
    func parent(_ uri: IPCURI) async throws -> IPCURI
    func change(_ value: String) async throws
    func nothing() async throws

    var onDidChange: Event<String> { get }
    func onDynamicCount(_ count: Int) -> Event<Int>
}

extension InteropTests {
    @Suite("Services of the macro")
    struct MacroServices {
        private final class Service: InteropService {
            let changes = EventEmitter<String>()

            func add(_ one: Double, _ other: Double) async throws -> Double { one + other }

            func describe(_ text: String?, _ bytes: VSBuffer, _ buffer: IPCBuffer) async throws -> String {
                "\(text ?? "nothing") \(bytes.bytes) \(buffer.bytes)"
            }

            func parent(_ uri: IPCURI) async throws -> IPCURI {
                IPCURI(filePath: uri.path.split(separator: "/").dropLast().map { "/\($0)" }.joined())
            }

            func change(_ value: String) async throws { changes.fire(value) }

            func nothing() async throws {}

            var onDidChange: Event<String> { changes.event }

            func onDynamicCount(_ count: Int) -> Event<Int> {
                Event { sink in
                    for index in 0..<count { sink.send(index) }
                    return EventSubscription()
                }
            }
        }

        @Test("A generated client calls a service in JavaScript", arguments: Setting.all)
        func client(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let service: any InteropService = InteropServiceClient(bench.channel("nodeService"))
                #expect(try await service.add(1, 2.5) == 3.5)
                let expected: [IPCValue] = [.undefined, .vsBuffer([1]), .buffer([2])]
                let described = try await service.describe(nil, [1], [2])
                #expect(described == "[\(expected.map(\.descriptionText).joined(separator: ","))]")
                #expect(try await service.parent(IPCURI(filePath: "/a b/c")) == IPCURI(filePath: "/a b"))
                var changes = service.onDidChange.makeAsyncIterator()
                try await service.change("é")
                #expect(try await changes.next() == "é")
                var counts = service.onDynamicCount(2).makeAsyncIterator()
                #expect(try await counts.next() == 0)
                #expect(try await counts.next() == 1)
                let error = await #expect(throws: RemoteError.self) { try await service.nothing() }
                #expect(error?.name == "CodeExpectedError")
            }
        }

        @Test("JavaScript calls a service through a generated channel", arguments: Setting.all)
        func channel(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let service = Service()
                let node = bench.node
                bench.register("swiftService", InteropServiceChannel<IPCValue>(service))
                func call(_ method: IPCString, _ parameters: [IPCValue]) async throws -> Outcome {
                    let described = IPCValue.array(parameters.map(\.described))
                    return Outcome(
                        try await node.ask(
                            "method",
                            ["channel": "swiftService", "method": .string(method), "parameters": described]
                        )
                    )
                }
                #expect(try await call("add", [1, 2.5]) == .value(3.5))
                #expect(
                    try await call("describe", [.undefined, .vsBuffer([1]), .buffer([2])]) == .value("nothing [1] [2]")
                )
                #expect(
                    try await call("parent", [.native("formattedURI")])
                        == .success(["t": "uri", "v": ["file", "", "/tmp", "", ""]])
                )
                #expect(try await call("nothing", []) == .value(.undefined))
                #expect(try await call("missing", []).errorName == "CodeExpectedError")
                #expect(try await call("add", ["x"]).errorName == "InvalidArgument")
                try await node.ask(
                    "serviceEvent",
                    ["name": "changes", "channel": "swiftService", "event": "onDidChange"]
                )
                try await eventually("Node listens") { service.changes.listenerCount == 1 }
                #expect(try await call("change", ["é"]) == .value(.undefined))
                #expect(try await node.payloads("changes", count: 1) == [IPCValue("é").described])
                try await node.ask(
                    "serviceEvent",
                    [
                        "name": "counts", "channel": "swiftService", "event": "onDynamicCount",
                        "argument": IPCValue(2).described,
                    ]
                )
                let counts: [IPCValue] = [0, 1]
                #expect(try await node.payloads("counts", count: 2) == .array(counts.map(\.described)))
            }
        }
    }
}
