// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import TLSEngine
import Testing

/// What one client feels while others storm the port. Figures are printed; what is asserted leaves room for a busy machine.
@Suite("A storm", .serialized, .blocking)
struct StormTests {
    /// What those who come do.
    enum Storm: String, CaseIterable, Sendable {
        case connectionsAndResets, handshakesWithoutCertificate, handshakesInPieces, garbage
    }

    @Test("of connections hardly delays a polite client, and leaves no descriptor behind", arguments: Storm.allCases)
    func polite(_ storm: Storm) throws {
        let polite = try PoliteClient()
        let bench = polite.bench
        let calm = try polite.measure()
        let descriptors = try bench.gateway.descriptorCount()
        let port = bench.gateway.port
        let context = try TLSContext(bench.tls(nil))
        let attack = Attack(threads: 2) {
            guard let stream = try? BlockingStream(host: "127.0.0.1", port: port) else { return }
            switch storm {
            case .connectionsAndResets: stream.resetOnClose()
            case .handshakesWithoutCertificate:
                try? stream.startTLS(context, serverName: "localhost")
                _ = try? stream.receive(milliseconds: 1_000)
            case .handshakesInPieces:
                for byte in [0x16, 3, 1, 2, 0, 1, 0, 1] as [UInt8] { try? stream.send([byte]) }
                stream.resetOnClose()
            case .garbage:
                try? stream.send((0..<300).map { UInt8(truncatingIfNeeded: $0 &* 73) })
                _ = try? stream.receive(milliseconds: 1_000)
            }
        }
        defer { attack.stop() }
        try eventually("the storm has begun") { attack.times > 20 }
        let stormed = try polite.measure()
        print("polite client: calm \(calm); beside \(attack.stop()) of \(storm.rawValue): \(stormed)")
        #expect(stormed.percentile(50) < calm.percentile(50) + .milliseconds(50) * patience)
        #expect(stormed.percentile(99) < calm.percentile(99) + .milliseconds(500) * patience)
        try eventually("every descriptor is back: \(bench.gateway.descriptors)") {
            try bench.gateway.descriptorCount() <= descriptors
        }
    }
}
