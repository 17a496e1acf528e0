// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

@Suite("A crowd of clients that are away", .blocking)
struct DetachedCrowdTests {
    private static let count = 2000

    @Test("costs a bounded amount of memory, is there when it comes back, and leaves nothing behind when it does not")
    func memory() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("sample.sock")
        let server = try SampleServer(path)
        let bench = try GatewayBench(upstream: .at(path)) {
            $0.limits["perIdentity"] = "{ clients: 5000 }"
            $0.tls = ["resumption": "off"]
            $0.sessions = ["graceTime": "25s", "perIdentity": "{ detached: 5000 }"]
        }
        let gateway = bench.gateway
        let descriptors = try gateway.descriptorCount()
        let before = try gateway.residentBytes()
        let context = try PersistentPeer.context(bench.tls(try bench.alice()))
        var peers: [PersistentPeer] = []
        for number in 0..<Self.count {
            let peer = try PersistentPeer(port: gateway.port, tls: nil)
            peer.tls = context
            try SessionStage.expectOK(try peer.connect())
            try peer.announce()
            // So that each has a connection to the server, too.
            #expect(try peer.ask("sample", "echo", IPCValue(number)) == IPCValue(number))
            peers.append(peer)
        }
        let attached = try gateway.residentBytes()
        for peer in peers { peer.cut(.reset) }
        try eventually("all are away") {
            gateway.log.filter { $0["message"] == "client lost; its session waits" }.count == Self.count
        }
        try eventually("no client has a descriptor any more") {
            try gateway.descriptorCount() <= descriptors + Self.count
        }
        let away = try gateway.residentBytes()
        let each = (away - before) / Self.count
        print(
            "resident: \(((attached - before) / Self.count) >> 10) KiB a client, \(each >> 10) KiB a session that waits"
        )
        #expect(each < 48 << 10)
        for peer in peers.suffix(10) {
            try SessionStage.expectOK(try peer.resume())
            #expect(try peer.ask("sample", "echo", "back") == "back")
            try peer.disconnect()
        }
        peers = []
        let closings = try gateway.waitForClosings(Self.count, within: .seconds(60))
        #expect(closings["reason"] == "session-expired")
        try eventually("every descriptor is back") { try gateway.descriptorCount() == descriptors }
        try eventually("a third of the memory is given back", within: .seconds(15)) {
            try gateway.residentBytes() - before < (attached - before) * 2 / 3
        }
        try server.stop()
    }
}
