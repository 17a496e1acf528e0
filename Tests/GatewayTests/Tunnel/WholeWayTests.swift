// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import Synchronization
import Testing

/// `CUTS=500` makes the first one longer.
@Suite("A program, the tunnel, a bad network, the gateway and a server", .serialized)
struct WholeWayTests {
    private static let cuts = ProcessInfo.processInfo.environment["CUTS"].flatMap(Int.init) ?? 300

    /// Calls until it is told to stop: small ones, and now and then a buffer of up to a mebibyte.
    ///
    /// - Returns: How many were answered, each with what it had sent.
    private static func call(
        _ client: IPCClient<String>,
        _ worker: Int,
        until isDone: @escaping @Sendable () -> Bool
    ) async throws -> Int {
        var random = SeededGenerator(seed: UInt64(worker))
        let channel = client.channel("real")
        var count = 0
        while !isDone() {
            let size =
                switch Int.random(in: 0..<100, using: &random) {
                case 0: 1 << 20
                case 1..<10: Int.random(in: 1_000...60_000, using: &random)
                default: Int.random(in: 0...100, using: &random)
                }
            let byte = UInt8.random(in: 0...255, using: &random)
            let argument: IPCValue = [
                .int(Int32(worker * 1_000_000 + count)), .buffer([UInt8](repeating: byte, count: size)),
            ]
            let answer = try await channel.call("echo", argument)
            let isSame = answer == argument
            #expect(isSame, "worker \(worker), call \(count)")
            count += 1
        }
        return count
    }

    /// Listens, and notes the numbers.
    private static func listen(_ client: IPCClient<String>, _ way: WholeWay) async throws -> Mutexed<[Int32]> {
        let numbers = Mutexed<[Int32]>([])
        let subscription = client.channel("real").listen("onNumber").subscribe { event in
            if case .int(let number) = event { numbers.value.withLock { $0.append(number) } }
        }
        numbers.subscription.withLock { $0 = subscription }
        try await eventually("it listens") { way.channel.numbers.listenerCount == 1 }
        return numbers
    }

    /// Something shared, with what fills it.
    private final class Mutexed<Value: Sendable>: Sendable {
        let value: Mutex<Value>
        let subscription = Mutex<EventSubscription?>(nil)

        init(_ value: Value) {
            self.value = Mutex(value)
        }
    }

    /// Something that is said once, to many tasks.
    private final class Flag: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }

    @Test("Hundreds of cuts under load lose, repeat and swap nothing")
    func cut() async throws {
        let way = try await WholeWay()
        let gateway = try way.startGateway()
        let link = try BadLink(to: gateway.port, seed: 11)
        let tunnel = try await way.startTunnel(to: "localhost:\(link.port)")
        let client = try await way.connect()
        let numbers = try await Self.listen(client, way)
        let isDone = Flag()
        let workers = (0..<4).map { worker in
            Task { try await Self.call(client, worker) { isDone.isSet } }
        }
        let firing = Task {
            var number: Int32 = 0
            while !isDone.isSet {
                way.channel.numbers.fire(.int(number))
                number += 1
                try await ContinuousClock().sleep(for: .milliseconds(2))
            }
            return number
        }
        // The next cut is ordered when the last one has happened, somewhere in either direction.
        var random = SeededGenerator(seed: 12)
        for number in 0..<Self.cuts {
            let bytes =
                number % 10 == 9
                ? Int.random(in: 1_200_000...2_000_000, using: &random) : Int.random(in: 0...120_000, using: &random)
            if number % 50 == 25 { link.blackOut(for: .milliseconds(300)) }
            link.cut(
                Bool.random(using: &random) ? .reset : .finish,
                after: bytes,
                Bool.random(using: &random) ? .toServer : .toClient
            )
            try await eventually("cut \(number) happens: \(link.counts); \(tunnel.errors.suffix(500))") {
                link.counts.cuts > number
            }
        }
        isDone.set()
        var total = 0
        for worker in workers { total += try await worker.value }
        let fired = try await firing.value
        try await eventually("all events have come: \(tunnel.errors.suffix(500))") {
            numbers.value.withLock { $0.count } >= Int(fired)
        }
        #expect(numbers.value.withLock { $0 == Array(0..<fired) }, "each event once, in order")
        let seen = way.channel.seen.withLock { $0.calls }
        #expect(seen.count == total)
        #expect(seen.values.allSatisfy { $0 == 1 }, "each call once")
        #expect(way.server.connections.count == 1, "the server has seen one connection")
        print("\(Self.cuts) cuts, \(link.counts.connections) connections: \(total) calls, \(fired) events")
        client.dispose()
        try await eventually("the server's connection ends") { way.server.connections.isEmpty }
        tunnel.signal(SIGINT)
        #expect(try await tunnel.end() == 0)
    }

    @Test("A gateway that is killed ends the sessions with the right code, and the tunnel starts new ones")
    func kill() async throws {
        let way = try await WholeWay()
        let gateway = try way.startGateway()
        let link = try BadLink(to: gateway.port)
        let tunnel = try await way.startTunnel(to: "localhost:\(link.port)")
        let client = try await way.connect()
        let context = client.channel("real")
        #expect(try await context.call("echo", [1]) == [1])
        gateway.child.signal(SIGKILL)
        try gateway.child.wait()
        let again = try way.startGateway()
        link.setServerPort(again.port)
        let end = await client.waitUntilClosed()
        #expect(end.code == .refused)
        #expect(end.reason.contains("unknown-session"), "\(end)")
        try await eventually("the log says so: \(tunnel.errors)") { tunnel.errors.contains("unknown-session") }
        let next = try await way.connect()
        #expect(try await next.channel("real").call("echo", [2]) == [2])
        next.dispose()
        tunnel.signal(SIGINT)
        #expect(try await tunnel.end() == 0)
    }

    @Test("A slow, stalling network is only slow; one that is dead for half a minute is noticed and outlived")
    func slow() async throws {
        let way = try await WholeWay()
        let gateway = try way.startGateway()
        var quality = LinkQuality()
        quality.delay = 30
        quality.jitter = 0...20
        quality.bytesPerSecond = 4 << 20
        quality.stallEvery = 500...1500
        quality.stallLength = 100...400
        let link = try BadLink(to: gateway.port, quality: quality, seed: 13)
        let tunnel = try await way.startTunnel(to: "localhost:\(link.port)")
        let client = try await way.connect()
        let numbers = try await Self.listen(client, way)
        let start = ContinuousClock().now
        let count = try await Self.call(client, 0) { ContinuousClock().now > start + .seconds(4) }
        #expect(count > 5)
        #expect(link.counts.connections == 2, "the first look, and the session: nobody has lost his patience")
        // Nothing goes through, and nobody is told: as when a laptop sleeps.
        link.cutAll(.silence)
        for number in 0..<100 as Range<Int32> { way.channel.numbers.fire(.int(number)) }
        #expect(try await client.channel("real").call("echo", [7_000_000]) == [7_000_000])
        try await eventually("all events have come") { numbers.value.withLock { $0.count } >= 100 }
        #expect(numbers.value.withLock { $0 == Array(0..<100) })
        #expect(link.counts.connections >= 3)
        client.dispose()
        tunnel.signal(SIGINT)
        #expect(try await tunnel.end() == 0)
    }

    @Test("Two machines, and a cable that is pulled for longer than anybody waits")
    func cable() async throws {
        let pair: NetworkPair
        do {
            pair = try NetworkPair()
        } catch let error as TestSupportError {
            print("not tested: \(error)")
            return
        }
        let way = try await WholeWay(address: "\(NetworkPair.Side.left.address):7443")
        let gateway = try way.startGateway(pair.words([], in: .left))
        let tunnel = try await way.startTunnel(to: "\(NetworkPair.Side.left.address):7443") {
            pair.words($0, in: .right)
        }
        let client = try await way.connect()
        let numbers = try await Self.listen(client, way)
        for seconds in [1, 25] {
            try pair.setConnected(false)
            let call = Task { try await client.channel("real").call("echo", [.int(Int32(seconds)), "unplugged"]) }
            way.channel.numbers.fire(.int(Int32(seconds)))
            try await ContinuousClock().sleep(for: .seconds(seconds))
            try pair.setConnected(true)
            #expect(try await call.value == [.int(Int32(seconds)), "unplugged"])
        }
        try await eventually("the events have come") { numbers.value.withLock { $0 } == [1, 25] }
        #expect(tunnel.errors.contains("reconnected"), "\(tunnel.errors)")
        #expect(way.server.connections.count == 1)
        #expect(gateway.log.contains { $0["message"] == "client resumed its session" })
        client.dispose()
        tunnel.signal(SIGINT)
        #expect(try await tunnel.end() == 0)
    }
}
