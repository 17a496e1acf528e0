// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

extension InteropTests {
    @Suite("Cancellation")
    struct Cancellation {
        @Test(
            "When a task in Swift is cancelled its call fails at once, and the token in JavaScript fires",
            arguments: Setting.all,
            ["never", "stubborn"] as [IPCString]
        )
        func fromSwift(_ setting: Setting, _ command: IPCString) async throws {
            try await Bench.run(setting) { bench async throws in
                let call = Task { try await bench.channel().call(command) }
                while try await bench.node.seen("started") != 1 {}
                #expect(try await bench.node.seen("cancelled") == 0)
                call.cancel()
                await #expect(throws: CancellationError.self) { try await call.value }
                while try await bench.node.seen("cancelled") != 1 {}
                try await eventually("the late answer has come") {
                    bench.connection.channelClient.outstandingCount == 0
                }
                #expect(try await bench.channel().call("echo", 1) == 1)
            }
        }

        @Test("A call that is cancelled before it is made never reaches JavaScript", arguments: Setting.all)
        func beforehand(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let call = Task {
                    while !Task.isCancelled { await Task.yield() }
                    return try await bench.channel().call("never")
                }
                call.cancel()
                await #expect(throws: CancellationError.self) { try await call.value }
                #expect(try await bench.channel().call("echo", 1) == 1)
                #expect(try await bench.node.seen("started") == 0)
                #expect(bench.connection.channelClient.outstandingCount == 0)
            }
        }

        @Test(
            "When a token in JavaScript is cancelled its promise rejects, and the task in Swift is cancelled",
            arguments: Setting.all,
            ["never", "stubborn"] as [IPCString]
        )
        func fromNode(_ setting: Setting, _ command: IPCString) async throws {
            try await Bench.run(setting) { bench async throws in
                try await bench.node.start("call", "swift", command)
                try await eventually("the handler runs") { bench.subject.seen.started == 1 }
                #expect(bench.subject.seen.cancelled == 0)
                try await bench.node.cancel("call")
                #expect(try await bench.node.finish("call").errorName == "Canceled")
                try await eventually("the handler is cancelled") { bench.subject.seen.cancelled == 1 }
                try await eventually("the call is over") { bench.connection.channelServer.openCount == 0 }
                #expect(try await bench.node.call("swift", "echo", 1) == .value(1))
            }
        }

        @Test("A hundred calls are cancelled one by one while others go on", arguments: Setting.all)
        func many(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let calls = (0..<100).map { _ in Task { try await bench.channel().call("never") } }
                while try await bench.node.seen("started") != 100 {}
                for (index, call) in calls.enumerated() {
                    call.cancel()
                    #expect(try await bench.channel().call("echo", IPCValue(index)) == IPCValue(index))
                }
                for call in calls { await #expect(throws: CancellationError.self) { try await call.value } }
                #expect(try await bench.node.seen("cancelled") == 100)
                try await eventually("the late answers have come") {
                    bench.connection.channelClient.outstandingCount == 0
                }
            }
        }
    }
}
