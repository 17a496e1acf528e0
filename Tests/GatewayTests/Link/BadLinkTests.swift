// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Testing

@Suite("The bad link of the tests", .blocking)
struct BadLinkTests {
    private let server: TCPServer

    init() throws {
        server = try TCPServer.echo()
    }

    private static func receive(_ count: Int, _ stream: BlockingStream) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard case .bytes(let more) = try stream.receive(milliseconds: patient(20_000)) else { break }
            bytes += more
        }
        return bytes
    }

    private static func milliseconds(_ body: () throws -> Void) rethrows -> Int {
        let start = PersistentPeer.now
        try body()
        return Int((PersistentPeer.now - start) / 1_000_000)
    }

    @Test("carries bytes unchanged in both directions, and the ends of both")
    func carries() throws {
        defer { server.stop() }
        let link = try BadLink(to: server.port)
        let stream = try BlockingStream(host: "127.0.0.1", port: link.port)
        let sent = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 >> 3) }
        try stream.queue(sent)
        let isSame = try Self.receive(sent.count, stream) == sent
        #expect(isSame)
        stream.finishSending()
        let end = try stream.receive(milliseconds: patient(10_000))
        #expect(end == .end(inOrder: true))
        try eventually("the connection is forgotten") { link.counts.live == 0 }
        #expect(link.counts.bytesToClient == sent.count && link.counts.cuts == 0)
    }

    @Test("lets bytes wait for its delay, and keeps to its bandwidth")
    func delays() throws {
        defer { server.stop() }
        var quality = LinkQuality()
        quality.delay = 40
        quality.jitter = 0...10
        let link = try BadLink(to: server.port, quality: quality)
        let stream = try BlockingStream(host: "127.0.0.1", port: link.port)
        let roundTrip = try Self.milliseconds {
            try stream.send([1])
            _ = try Self.receive(1, stream)
        }
        #expect(roundTrip >= 80)
        quality.bytesPerSecond = 1_000_000
        link.setQuality(quality)
        let transfer = try Self.milliseconds {
            try stream.queue([UInt8](repeating: 1, count: 300_000))
            _ = try Self.receive(300_000, stream)
        }
        #expect(transfer >= 300)
    }

    @Test("cuts after exactly so many bytes", arguments: LinkQuality.Cut.allCases)
    func cuts(way: LinkQuality.Cut) throws {
        defer { server.stop() }
        let link = try BadLink(to: server.port)
        link.cut(way, after: 1_234, .toClient)
        let stream = try BlockingStream(host: "127.0.0.1", port: link.port)
        try stream.send([UInt8](repeating: 1, count: 5_000))
        let bytes = try Self.receive(1_234, stream)
        #expect(bytes.count == 1_234)
        let next = Result { try stream.receive(milliseconds: way == .silence ? 200 : 10_000) }
        switch way {
        case .finish: #expect(try next.get() == .end(inOrder: true))
        case .reset: #expect(throws: TestSupportError.self) { try next.get() }
        case .silence: #expect(try next.get() == .nothing)
        }
        try eventually("it is counted") { link.counts.cuts == 1 }
        #expect(link.counts.silent == (way == .silence ? 1 : 0))
    }

    @Test("is there for the next connection after a cut, and after a server that was not there")
    func reconnects() throws {
        let link = try BadLink(to: server.port)
        for _ in 0..<20 {
            let stream = try BlockingStream(host: "127.0.0.1", port: link.port)
            try stream.send([1, 2, 3])
            let bytes = try Self.receive(3, stream)
            #expect(bytes == [1, 2, 3])
            link.cutAll(.reset)
            #expect(throws: TestSupportError.self) { try stream.receive(milliseconds: patient(10_000)) }
        }
        try eventually("all cuts are counted") { link.counts.cuts == 20 }
        #expect(link.counts.connections == 20)
        link.setServerPort(1)
        let refused = try BlockingStream(host: "127.0.0.1", port: link.port)
        #expect(throws: TestSupportError.self) { try refused.receive(milliseconds: patient(10_000)) }
        try eventually("the refusal is counted") { link.counts.refused == 1 }
        link.setServerPort(server.port)
        let stream = try BlockingStream(host: "127.0.0.1", port: link.port)
        try stream.send([1])
        let bytes = try Self.receive(1, stream)
        #expect(bytes == [1])
        server.stop()
    }

    @Test("lets nothing through in a black-out, and loses nothing by it")
    func blackOut() throws {
        defer { server.stop() }
        let link = try BadLink(to: server.port)
        let stream = try BlockingStream(host: "127.0.0.1", port: link.port)
        try stream.send([1])
        _ = try Self.receive(1, stream)
        link.blackOut(for: .seconds(60))
        try eventually("it is dark") { link.counts.stalls == 1 }
        try stream.send([2])
        let dark = try stream.receive(milliseconds: 200)
        #expect(dark == .nothing)
        link.endBlackOut()
        let bytes = try Self.receive(1, stream)
        #expect(bytes == [2])
    }

    @Test("draws the same cuts for the same seed")
    func draws() throws {
        defer { server.stop() }
        var quality = LinkQuality()
        quality.cutAfterBytes = 1...2_000
        quality.cuts = [.finish]
        var lengths: [[Int]] = []
        for _ in 0..<2 {
            let link = try BadLink(to: server.port, quality: quality, seed: 42)
            lengths.append([])
            for _ in 0..<8 {
                let before = link.counts
                let stream = try BlockingStream(host: "127.0.0.1", port: link.port)
                try stream.queue([UInt8](repeating: 1, count: 3_000))
                _ = try? Self.receive(3_000, stream)
                try eventually("a cut") { link.counts.cuts == before.cuts + 1 }
                let (up, down) = (link.counts.bytesToServer, link.counts.bytesToClient)
                // Cut on the way there, how much came back is a matter of time.
                lengths[lengths.count - 1].append(
                    up - before.bytesToServer < 3_000 ? up - before.bytesToServer : down - before.bytesToClient
                )
            }
        }
        #expect(lengths[0] == lengths[1])
        #expect(Set(lengths[0]).count > 4)
    }
}
