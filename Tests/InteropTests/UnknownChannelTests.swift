// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

extension InteropTests {
    @Suite("Channels that are not there yet")
    struct UnknownChannels {
        /// As long as it takes.
        private static var patient: ConnectionOptions {
            var options = ConnectionOptions()
            options.unknownChannelTimeout = .seconds(60)
            return options
        }

        @Test("A call to a channel that nobody registers fails after a second, both ways", arguments: Setting.all)
        func timeout(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let clock = ContinuousClock()
                let start = clock.now
                async let outcome = bench.node.call("nobody", "echo", 1)
                let error = RemoteError(
                    name: "Unknown channel",
                    message: "Channel name 'nöbody' timed out after 1000ms"
                )
                await #expect(throws: error) { try await bench.channel("nöbody").call("echo", 1) }
                let message = "Channel name 'nobody' timed out after 1000ms"
                #expect(try await outcome == .failure(name: "Unknown channel", message: message, stack: nil))
                #expect(clock.now - start >= .seconds(1))
                // Node, as VS Code does, serves it now all the same, and answers a second time.
                try await bench.node.ask("register", ["channel": "nöbody"])
                #expect(try await bench.channel("nöbody").call("echo", 2) == 2)
                #expect(try await bench.channel("nöbody").call("echo", 3) == 3)
                #expect(bench.connection.channelClient.outstandingCount == 0)
            }
        }

        @Test(
            "Calls and subscriptions wait for a channel that is registered in time, in their order",
            arguments: Setting.all
        )
        func late(_ setting: Setting) async throws {
            try await Bench.run(setting, options: Self.patient) { bench async throws in
                let node = bench.node
                var ticks = bench.channel("late").listen("onTick").makeAsyncIterator()
                let calls = (0..<2).map { index in
                    Task { try await bench.channel("late").call(index == 0 ? "whoami" : "tick", 1) }
                }
                let client = bench.connection.channelClient
                try await eventually("all are asked") { client.outstandingCount == 3 }
                _ = try await bench.channel().call("whoami")
                try await node.ask("register", ["channel": "late"])
                #expect(try await calls[0].value == bench.connection.context)
                #expect(try await calls[1].value == "ticked")
                #expect(try await ticks.next() == 0)

                try await node.listen("tick", "early", "onTick")
                try await node.start("call", "early", "tick", 1)
                try await eventually("both wait") { bench.connection.channelServer.openCount == 2 }
                bench.register("early", bench.subject)
                #expect(try await node.finish("call") == .value("ticked"))
                #expect(try await node.payloads("tick", count: 1) == [IPCValue(0).described])
            }
        }

        @Test("What is withdrawn while it waits is not served", arguments: Setting.all)
        func withdrawn(_ setting: Setting) async throws {
            try await Bench.run(setting, options: Self.patient) { bench async throws in
                let node = bench.node
                try await node.listen("tick", "early", "onTick")
                try await node.start("call", "early", "never")
                try await eventually("both wait") { bench.connection.channelServer.openCount == 2 }
                try await node.unlisten("tick")
                try await node.cancel("call")
                #expect(try await node.finish("call").errorName == "Canceled")
                _ = try await node.call("swift", "whoami")
                bench.register("early", bench.subject)
                #expect(try await node.call("early", "tick", 1) == .value("ticked"))
                #expect(try await node.payloads("tick", count: 0) == [])
                #expect(bench.subject.seen.first == 0)
                #expect(bench.subject.seen.started == 0)
                try await eventually("nothing is open") { bench.connection.channelServer.openCount == 0 }
            }
        }
    }
}
