// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

@Suite("A client that sends a byte from time to time", .blocking)
struct SlowLorisTests {
    /// Where it is slow.
    enum Phase: String, CaseIterable, Sendable {
        case proxyHeader, clientHello, context, frameHeader, frameBody, sessionControl

        var reason: String {
            switch self {
            case .proxyHeader, .clientHello: "handshake-timeout"
            case .context, .sessionControl: "context-timeout"
            case .frameHeader, .frameBody: "frame-timeout"
            }
        }
    }

    @Test("is let go when the phase's deadline is over, as if it had sent nothing", arguments: Phase.allCases)
    func drip(phase: Phase) throws {
        let bench = try GatewayBench {
            // The others have time: a machine may be slow without anybody's ill will.
            let short = String(phase.reason.prefix { $0 != "-" })
            for name in ["handshake", "context", "frame"] { $0.timeouts[name] = name == short ? "800ms" : "60s" }
            if phase == .proxyHeader { $0.proxy = "{ from: [127.0.0.0/8] }" }
        }
        let stream = try BlockingStream(host: "127.0.0.1", port: bench.gateway.port)
        var drops: [UInt8]
        let call = Sample.call(0, .buffer([UInt8](repeating: 1, count: 4_000)))
        switch phase {
        case .proxyHeader:
            drops = ProxyHeaderBytes.v4(extensions: ProxyHeaderBytes.tlv(4, [UInt8](repeating: 0, count: 1_000)))
        case .clientHello: drops = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3] + [UInt8](repeating: 7, count: 500)
        default:
            var tls = bench.tls(try bench.alice())
            if phase == .sessionControl { tls.applicationProtocols = [PersistentPeer.applicationProtocol] }
            try stream.startTLS(try TLSContext(tls), serverName: "localhost")
            switch phase {
            case .sessionControl:
                let json = SessionControl.connect(token: nil).encoded()
                drops = Frame(type: .control, body: json + [UInt8](repeating: 32, count: 500)).encoded()
            case .context:
                drops = Frame.regular(IPCMessage.context(.string(.init(String(repeating: "x", count: 500))))).encoded()
            default:
                try stream.send(TestClient.opening())
                _ = try stream.receive(milliseconds: patient(10_000))
                if phase == .frameBody { try stream.send(Array(call[..<13])) }
                drops = phase == .frameBody ? Array(call[13...]) : Array(call[..<12])
            }
        }
        let start = ContinuousClock.now
        var sent = 0
        // One byte each 20 ms; a frame's header has few of them, so it stays without its last one.
        while !bench.gateway.log.contains(where: { $0["reason"] != nil }) {
            if sent < drops.count { try? stream.send([drops[sent]]) }
            sent += 1
            letTimePass(milliseconds: 20)
            guard ContinuousClock.now - start < .seconds(60) * patience else { break }
        }
        let took = ContinuousClock.now - start
        let line = try bench.gateway.waitForLog("the reason") { $0["reason"] != nil }
        #expect(line["reason"] == phase.reason, "\(line)")
        print(
            "slow-loris, \(phase.rawValue): \(line["reason"] ?? "?") \(took) after the first byte of the phase, \(sent) bytes"
        )
        drops = []
        // Who arrives later is served.
        if phase.reason == "frame-timeout" { #expect(try bench.open().ending == nil) }
    }
}
