// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

/// Clients that were let in, and are costly below what the protocol sees. Figures are printed.
@Suite(
    "A flood of TLS records",
    .serialized,
    .blocking,
    .enabled(if: Node.isHere || Node.isRequired, "node is missing, so no records are made")
)
struct RecordFloodTests {
    private static func reason(_ bench: GatewayBench) throws -> GatewayProcess.LogLine {
        try bench.gateway.waitForClosings(1, within: .seconds(60))
    }

    @Test("that ask for new keys ends the connection at the 33rd without data between, whether it reads or not")
    func updates() throws {
        for flood in [RecordClient.Flood.updates, .deafUpdates] {
            let bench = try GatewayBench()
            let client = try RecordClient.start(bench, flood, count: 20_000)
            try RecordClient.waitUntilSent(client)
            let line = try Self.reason(bench)
            #expect(line["reason"] == "protocol-violation")
            #expect(line["detail"]?.contains("more than 32 messages of TLS itself") == true)
            // Each is answered with 27 bytes: what is sent beyond the handshake is bounded, too.
            #expect((line["bytesOut"].flatMap { Int($0) } ?? .max) < 8_000)
            print(
                "KeyUpdate flood, \(flood.rawValue): closed after \(line["bytesIn"] ?? "?") bytes in,",
                "\(line["bytesOut"] ?? "?") bytes out, \(try bench.gateway.usage().processorTicks * 10) ms of processor"
            )
        }
    }

    @Test("with new keys is taken where it is moderate: 32 updates, then a call and its answer")
    func moderate() throws {
        let bench = try GatewayBench()
        let client = try RecordClient.start(bench, .updates, count: 32)
        try RecordClient.waitUntilSent(client)
        try eventually("it reads on: \(client.output)") { client.output.contains("received") }
        let polite = try bench.open()
        #expect(polite.ending == nil)
        #expect(bench.gateway.closings.isEmpty)
        #expect(client.status == nil)
    }

    @Test("with a byte of data behind each update does not get more in one read")
    func updatesWithData() throws {
        let bench = try GatewayBench()
        let call = Sample.call(0, .buffer([UInt8](repeating: 7, count: 3_000)))
        let client = try RecordClient.start(bench, .updatesWithData, count: 3_000, data: call)
        try RecordClient.waitUntilSent(client)
        #expect(try Self.reason(bench)["detail"]?.contains("more than 32 messages of TLS itself") == true)
    }

    @Test("without data ends the connection")
    func empty() throws {
        let bench = try GatewayBench()
        let client = try RecordClient.start(bench, .empty, count: 20_000)
        try RecordClient.waitUntilSent(client)
        let line = try Self.reason(bench)
        #expect(line["reason"] == "protocol-violation", "\(line)")
    }

    @Test("of one byte each carries every call unchanged")
    func single() throws {
        let bench = try GatewayBench()
        let calls = (0..<UInt64(100)).flatMap { Sample.call($0, IPCValue("number \($0)")) }
        let client = try RecordClient.start(bench, .single, count: 1, data: calls)
        try RecordClient.waitUntilSent(client)
        let opening = RecordingUpstream.opening(context: "remote:alice")
        let received = try bench.recording().connection(within: .seconds(60)).receive(
            count: opening.count + calls.count,
            within: .seconds(60)
        )
        let isSame = received == opening + calls
        #expect(isSame)
        print("\(calls.count) records of one byte: \(try bench.gateway.usage().processorTicks * 10) ms of processor")
    }

    @Test("hardly delays a polite client", arguments: [RecordClient.Flood.updates, .updatesWithData, .empty, .single])
    func polite(flood: RecordClient.Flood) throws {
        let polite = try PoliteClient()
        let calm = try polite.measure()
        let bench = polite.bench
        let call = Sample.call(0, .buffer([UInt8](repeating: 7, count: 1_000)))
        let attack = Attack(threads: 1) {
            guard let client = try? RecordClient.start(bench, flood, count: flood == .single ? 5 : 5_000, data: call)
            else { return }
            try? RecordClient.waitUntilSent(client)
        }
        defer { attack.stop() }
        try eventually("the flood has begun") { attack.times > 0 }
        let flooded = try polite.measure()
        print("polite client beside \(flood.rawValue): calm \(calm); beside \(attack.stop()) connections: \(flooded)")
        #expect(flooded.percentile(50) < calm.percentile(50) + .milliseconds(50) * patience)
        #expect(flooded.percentile(99) < calm.percentile(99) + .milliseconds(500) * patience)
    }
}
