// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Synchronization
import Testing

extension InteropTests {
    @Suite("Events")
    struct Events {
        /// Payloads in the order in which they came.
        private final class Log: Sendable {
            private let payloads = Mutex<[IPCValue]>([])

            var all: [IPCValue] { payloads.withLock { $0 } }

            func append(_ payload: IPCValue) {
                payloads.withLock { $0.append(payload) }
            }
        }

        @Test(
            "The first listener in Swift subscribes, the last one unsubscribes, and the next subscribes again",
            arguments: Setting.all
        )
        func listenersInSwift(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let event = bench.channel().listen("onTick")
                let (first, second) = (Log(), Log())
                #expect(try await counts(bench) == [0, 0])
                let one = event.subscribe { first.append($0) }
                let other = event.subscribe { second.append($0) }
                #expect(try await counts(bench) == [1, 0])
                #expect(try await bench.channel().call("tick", 3) == "ticked")
                // What is fired before the answer has come before the answer.
                #expect(first.all == [0, 1, 2])
                #expect(second.all == [0, 1, 2])
                one.cancel()
                #expect(try await counts(bench) == [1, 0])
                _ = try await bench.channel().call("tick", 1)
                other.cancel()
                #expect(try await counts(bench) == [1, 1])
                _ = try await bench.channel().call("tick", 5)
                #expect(first.all == [0, 1, 2])
                #expect(second.all == [0, 1, 2, 0])
                let again = event.subscribe { first.append($0) }
                #expect(try await counts(bench) == [2, 1])
                _ = try await bench.channel().call("tick", 1)
                #expect(first.all == [0, 1, 2, 0])
                again.cancel()
                #expect(try await counts(bench) == [2, 2])
                #expect(bench.connection.channelClient.outstandingCount == 0)
            }
        }

        /// How often somebody has come in Node after nobody listened, and the last one left, by the time of a call.
        private func counts(_ bench: Bench) async throws -> [IPCValue?] {
            _ = try await bench.channel().call("whoami")
            let seen = try await bench.node.ask("seen")
            return [seen["first"], seen["last"]]
        }

        @Test(
            "The first listener in JavaScript subscribes, the last one unsubscribes, and the next subscribes again",
            arguments: Setting.all
        )
        func listenersInNode(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let node = bench.node
                func expectCounts(_ first: Int, _ last: Int) async throws {
                    // Behind what was subscribed and unsubscribed.
                    _ = try await node.call("swift", "whoami")
                    #expect([bench.subject.seen.first, bench.subject.seen.last] == [first, last])
                    #expect(bench.subject.ticks.listenerCount == first - last)
                }
                try await node.listen("tick", "swift", "onTick")
                try await node.listen("tick", "swift", "onTick")
                try await expectCounts(1, 0)
                #expect(try await node.call("swift", "tick", 2) == .value("ticked"))
                try await node.unlisten("tick")
                try await expectCounts(1, 0)
                _ = try await node.call("swift", "tick", 1)
                try await node.unlisten("tick")
                try await expectCounts(1, 1)
                _ = try await node.call("swift", "tick", 5)
                try await node.listen("tick", "swift", "onTick")
                try await expectCounts(2, 1)
                _ = try await node.call("swift", "tick", 1)
                try await node.unlisten("tick")
                try await expectCounts(2, 2)
                let expected: [IPCValue] = [0, 0, 1, 1, 0, 0]
                #expect(try await node.payloads("tick", count: 6) == .array(expected.map(\.described)))
                #expect(bench.connection.channelServer.openCount == 0)
            }
        }

        @Test("The argument of a subscription arrives as it was sent, both ways", arguments: Setting.all)
        func arguments(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let values: [IPCValue] = [.undefined, .null, "é", 5, [1, .vsBuffer([1])], ["a": 1], .buffer([2])]
                for (index, value) in values.enumerated() {
                    var payloads = bench.channel().listen("onArgument", value).makeAsyncIterator()
                    #expect(try await payloads.next() == value)
                    let name = IPCString("event \(index)")
                    try await bench.node.listen(name, "swift", "onArgument", value)
                    #expect(try await bench.node.payloads(name, count: 1) == [value.described])
                }
                #expect(bench.subject.seen.arguments == values)
                let listened = values.map { value -> IPCValue in ["onArgument", value.described] }
                #expect(try await bench.node.seen("listened") == .array(listened))
            }
        }

        @Test(
            "Ten thousand payloads come in order, before the answer of their call",
            arguments: Setting.all
        )
        func order(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                let count = 10_000
                let log = Log()
                let subscription = bench.channel().listen("onTick").subscribe { log.append($0) }
                log.append(try await bench.channel().call("tick", IPCValue(count)))
                let expected = (0..<count).map { IPCValue($0) } + ["ticked"]
                let isInOrder = log.all == expected
                #expect(isInOrder)
                subscription.cancel()
                let order: IPCObject = [
                    "channel": "swift", "event": "onTick", "command": "tick", "argument": IPCValue(count).described,
                ]
                let isInOrderInNode = try await bench.node.ask("order", order) == .array(expected.map(\.described))
                #expect(isInOrderInNode)
            }
        }

        @Test("Of an event that does not exist nothing is heard, and the connection goes on", arguments: Setting.all)
        func unknown(_ setting: Setting) async throws {
            let reports = Mutex<[String]>([])
            var options = ConnectionOptions()
            options.report = { report in reports.withLock { $0.append(report) } }
            try await Bench.run(setting, options: options) { bench async throws in
                let subscription = bench.channel().listen("onNothing").subscribe { Issue.record("fired: \($0)") }
                try await bench.node.listen("nothing", "swift", "onNothing")
                #expect(try await bench.channel().call("echo", 1) == 1)
                #expect(try await bench.node.call("swift", "echo", 1) == .value(1))
                #expect(try await bench.node.payloads("nothing", count: 0) == [])
                #expect(reports.withLock { $0.count } == 1)
                subscription.cancel()
                try await bench.node.unlisten("nothing")
                #expect(try await bench.channel().call("echo", 2) == 2)
                #expect(try await bench.node.call("swift", "echo", 2) == .value(2))
                #expect(bench.connection.channelServer.openCount == 0)
            }
        }
    }
}
