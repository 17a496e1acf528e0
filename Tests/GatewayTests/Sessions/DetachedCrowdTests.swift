// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

/// `DETACHED=10000` makes the crowd larger.
@Suite("A crowd of clients that are away", .blocking)
struct DetachedCrowdTests {
    private static let count = ProcessInfo.processInfo.environment["DETACHED"].flatMap(Int.init) ?? 1000
    /// Those who are there at the same time.
    private static let batch = 2000

    /// Lets clients come, call and be lost.
    ///
    /// - Returns: The last ones.
    private static func comeAndGo(_ count: Int, _ gateway: GatewayProcess, _ tls: TLSContext) throws -> [PersistentPeer]
    {
        var peers: [PersistentPeer] = []
        for number in 0..<count {
            let peer = try PersistentPeer(port: gateway.port, tls: nil)
            peer.tls = tls
            try SessionStage.expectOK(try peer.connect())
            try peer.announce()
            // So that each has a connection to the server, too.
            #expect(try peer.ask("sample", "echo", IPCValue(number)) == IPCValue(number))
            peers.append(peer)
        }
        for peer in peers { peer.cut(.reset) }
        return peers.suffix(10)
    }

    @Test("costs a bounded amount of memory, is there when it comes back, and leaves nothing behind when it does not")
    func memory() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("sample.sock")
        let server = try SampleServer(path)
        let count = Self.count
        let bench = try GatewayBench(upstream: .at(path)) {
            $0.limits = ["clients": "\(2 * count)", "perIdentity": "{ clients: \(2 * count) }"]
            $0.tls = ["resumption": "off"]
            // From the first loss until all have been counted.
            $0.sessions = [
                "graceTime": "\(25 + count / 50)s", "detached": "\(count)", "perIdentity": "{ detached: \(count) }",
            ]
        }
        let gateway = bench.gateway
        let descriptors = try gateway.descriptorCount()
        let before = try gateway.residentBytes()
        let tls = try PersistentPeer.context(bench.tls(try bench.alice()))
        var peers: [PersistentPeer] = []
        for start in stride(from: 0, to: count, by: Self.batch) {
            peers = try Self.comeAndGo(min(Self.batch, count - start), gateway, tls)
        }
        try eventually("all are away") {
            gateway.log.filter { $0["message"] == "client lost; its session waits" }.count == count
        }
        try eventually("no client has a descriptor any more") {
            try gateway.descriptorCount() <= descriptors + count
        }
        let away = try gateway.residentBytes()
        let each = (away - before) / count
        print("\(count) sessions that wait: \(each >> 10) KiB each, \((away - before) >> 20) MiB in all")
        #expect(each < 24 << 10)
        for peer in peers {
            try SessionStage.expectOK(try peer.resume())
            #expect(try peer.ask("sample", "echo", "back") == "back")
            try peer.disconnect()
        }
        peers = []
        let closings = try gateway.waitForClosings(count, within: .seconds(60 + count / 50))
        #expect(closings["reason"] == "session-expired")
        try eventually("every descriptor is back") { try gateway.descriptorCount() == descriptors }
        // Most of it is the allocator's: what is kept of why each session ended lies between its holes.
        try eventually("memory is given back", within: .seconds(15)) {
            try gateway.residentBytes() - before < min((away - before) * 9 / 10, count * 14 << 10)
        }
        print("afterwards \((try gateway.residentBytes() - before) >> 20) MiB")
        try server.stop()
    }
}
