// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import IPC
import IPCProtocol
import Testing

extension InteropTests {
    @Suite("The end of a connection")
    struct Endings {
        /// A call and a subscription each way, all of them open.
        private struct Open {
            let call: Task<IPCValue, any Error>
            let ticks: Task<[IPCValue], any Error>

            init(_ bench: Bench) async throws {
                call = Task { try await bench.channel().call("never") }
                ticks = Task {
                    var payloads: [IPCValue] = []
                    for try await tick in bench.channel().listen("onTick") { payloads.append(tick) }
                    return payloads
                }
                try await bench.node.start("call", "swift", "never")
                try await bench.node.listen("ticks", "swift", "onTick")
                while try await bench.node.seen("started") != 1 {}
                while try await bench.node.seen("first") != 1 {}
                try await eventually("Swift is asked") {
                    bench.subject.seen.started == 1 && bench.subject.seen.first == 1
                }
            }
        }

        @Test("When Swift closes, everything open ends on both sides", arguments: Setting.all)
        func disposeInSwift(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let open = try await Open(bench)
                bench.dispose()
                await #expect(throws: ConnectionEnd.disposed) { try await open.call.value }
                #expect(try await open.ticks.value == [])
                await #expect(throws: ConnectionEnd.disposed) { try await bench.channel().call("echo", 1) }
                #expect(await bench.connection.waitUntilClosed() == .disposed)
                try await eventually("the handler is cancelled") { bench.subject.seen.cancelled == 1 }
                try await eventually("nobody listens") { bench.subject.ticks.listenerCount == 0 }
                try await bench.node.ask("closed")
                #expect(try await bench.node.seen("cancelled") == 1)
                #expect(try await bench.node.seen("last") == 1)
            }
        }

        @Test("When JavaScript closes, everything open ends on both sides", arguments: Setting.all)
        func disposeInNode(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let open = try await Open(bench)
                try await bench.node.ask("dispose")
                await #expect(throws: ConnectionEnd.closed) { try await open.call.value }
                #expect(try await open.ticks.value == [])
                #expect(try await bench.node.finish("call").errorName == "Canceled")
                #expect(await bench.connection.waitUntilClosed() == .closed)
                await #expect(throws: ConnectionEnd.closed) { try await bench.channel().call("echo", 1) }
                try await eventually("the handler is cancelled") { bench.subject.seen.cancelled == 1 }
                try await eventually("nobody listens") { bench.subject.ticks.listenerCount == 0 }
                try await eventually("it is not among the connections") { bench.server?.connections.isEmpty ?? true }
                try await bench.node.ask("closed")
            }
        }

        @Test("When Node is killed, everything open in Swift ends", arguments: Setting.all)
        func kill(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let open = try await Open(bench)
                bench.node.process.signal(SIGKILL)
                let end = try await #require(throws: ConnectionEnd.self) { try await open.call.value }
                // A Unix socket does not tell whether a process has closed it or has died. TLS does.
                #expect(end.code == (setting.carrier == .unix ? .closed : .lost), "\(end)")
                if setting.carrier == .unix {
                    #expect(try await open.ticks.value == [])
                } else {
                    await #expect(throws: end) { try await open.ticks.value }
                }
                await #expect(throws: end) { try await bench.channel().call("echo", 1) }
                #expect(await bench.connection.waitUntilClosed() == end)
                try await eventually("the handler is cancelled") { bench.subject.seen.cancelled == 1 }
                try await eventually("nobody listens") { bench.subject.ticks.listenerCount == 0 }
                try await eventually("it is not among the connections") { bench.server?.connections.isEmpty ?? true }
            }
        }

        @Test("A thousand calls fail when Node is killed in the middle of them", arguments: Setting.all)
        func killInTheMiddle(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let calls = (0..<1_000).map { _ in Task { try await bench.channel().call("never") } }
                let buffer = IPCValue.vsBuffer([UInt8](repeating: 1, count: 100_000))
                let echoes = (0..<100).map { _ in Task { try await bench.channel().call("echo", buffer) } }
                _ = try await echoes[10].value
                bench.node.process.signal(SIGKILL)
                for call in calls { await #expect(throws: ConnectionEnd.self) { try await call.value } }
                for echo in echoes { _ = await echo.result }
                #expect(bench.connection.end != nil)
            }
        }
    }
}
