// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

extension InteropTests {
    @Suite("Calls")
    struct Calls {
        static let plainValues: [IPCValue] = [
            "text", 5, .null, .undefined, ["a": [1]], [1, .vsBuffer([2])], false, .buffer([1]),
        ]

        @Test("An Error of JavaScript comes with its name, message and stack", arguments: Setting.all)
        func errorsFromNode(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let error = RemoteError(name: "TypeError", message: "nö", stack: "TypeError: no\n    at a\n\n    at b")
                let asked: IPCValue = [
                    "name": "TypeError", "message": "nö", "stack": "TypeError: no\n    at a\n\n    at b",
                ]
                await #expect(throws: error) { try await bench.channel().call("fail", asked) }
                await #expect(throws: RemoteError(name: "RangeError", message: "")) {
                    try await bench.channel().call("fail", ["message": "", "stack": .null])
                }
                await #expect(throws: RemoteError(name: "", message: "m", stack: nil)) {
                    try await bench.channel().call("fail", ["message": "m", "name": "", "stack": ""])
                }
                let real = await #expect(throws: RemoteError.self) {
                    try await bench.channel().call("fail", ["message": "m"])
                }
                let stack = try #require(real?.stack?.string)
                #expect(stack.hasPrefix("RangeError: m\n    at "), "\(stack)")
                await #expect(throws: RemoteError.self) { try await bench.channel().call("nothing") }
            }
        }

        @Test("What JavaScript throws or rejects with besides Errors comes as it is", arguments: Setting.all)
        func plainFailuresFromNode(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                for value in Self.plainValues {
                    for command in ["failPlain", "rejectPlain"] as [IPCString] {
                        await #expect(throws: RemoteFailure(value)) {
                            try await bench.channel().call(command, value.described)
                        }
                    }
                }
            }
        }

        @Test("JavaScript gets an Error with the name, message and stack that Swift throws", arguments: Setting.all)
        func errorsFromSwift(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let node = bench.node
                let stack = "TypeError: no\n    at one\n    at two"
                #expect(
                    try await node.call("swift", "fail") == .failure(name: "TypeError", message: "no", stack: stack)
                )
                #expect(try await node.call("swift", "failBriefly") == .failure(name: nil, message: "", stack: nil))
                #expect(
                    try await node.call("swift", "failInSwift")
                        == .failure(name: "Trouble", message: "ahead", stack: nil)
                )
                #expect(
                    try await node.call("swift", "nothing")
                        == .failure(name: "CodeExpectedError", message: "Method not found: nothing", stack: nil)
                )
                for value in Self.plainValues {
                    #expect(try await node.call("swift", "failPlain", value) == .failureValue(value.described))
                }
            }
        }

        @Test(
            "Either end hears the context that the client has announced, and calls the other back with it",
            arguments: Setting.all,
            ["window:1", ["remoteAuthority": "ssh+host", "clientId": "é"], .undefined, ["x", .vsBuffer([1])]]
                as [IPCValue]
        )
        func contexts(_ setting: Setting, _ context: IPCValue) async throws {
            try await Bench.run(setting, context: context) { bench async throws in
                #expect(bench.connection.context == context)
                #expect(try await bench.channel().call("whoami") == context)
                #expect(try await bench.node.call("swift", "whoami") == .value(context))
                // Node asks Swift from within a handler that Swift has called, and the other way round.
                #expect(try await bench.channel().call("reverse", ["swift", "whoami", 1]) == context)
                #expect(try await bench.node.call("swift", "reverse", ["node", "whoami", 1]) == .value(context))
                #expect(bench.subject.seen.contexts.allSatisfy { $0 == context })
                #expect(try await bench.node.seen("contexts")?.array?.allSatisfy { $0 == context.described } == true)
            }
        }

        @Test("A thousand calls at once, both ways, each get their own answer", arguments: Setting.all)
        func crowd(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                async let fromNode = bench.node.ask("burst", ["channel": "swift", "command": "echo", "count": 1_000])
                let right = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for index in 0..<1_000 {
                        let argument: IPCValue = [IPCValue(index), ["text": IPCValue("text \(index)")]]
                        group.addTask { try await bench.channel().call("echo", argument) == argument }
                    }
                    return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
                }
                #expect(right == 1_000)
                #expect(try await fromNode == 1_000)
                #expect(bench.connection.channelClient.outstandingCount == 0)
                #expect(bench.connection.channelServer.openCount == 0)
            }
        }

        @Test("Buffers of 16 MiB go there and back, both ways", arguments: Setting.all)
        func large(_ setting: Setting) async throws {
            var options = ConnectionOptions()
            // The default bound is that of the gateway, 16 MiB with everything.
            options.limits = IPCLimits(frameBytes: 17 << 20)
            try await Bench.run(setting, options: options, weight: .heavy) { bench async throws in
                var bytes = [UInt8](repeating: 7, count: 16 << 20)
                for place in stride(from: 0, to: bytes.count, by: 4_099) {
                    bytes[place] = UInt8(truncatingIfNeeded: place)
                }
                let isSame = try await bench.channel().call("echo", .vsBuffer(bytes)) == .vsBuffer(bytes)
                #expect(isSame)
                let order: IPCObject = ["channel": "swift", "command": "echo", "count": IPCValue(bytes.count)]
                #expect(try await bench.node.ask("transfer", order) == true)
            }
        }
    }
}
