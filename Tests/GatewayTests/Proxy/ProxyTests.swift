// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

@Suite("Behind a proxy", .blocking)
struct ProxyTests {
    private static func bench(
        from: String = "[127.0.0.0/8]",
        _ configure: (inout GatewayConfigurationText) -> Void = { _ in }
    ) throws -> GatewayBench {
        try GatewayBench { configuration in
            configuration.proxy = "{ from: \(from) }"
            configuration.audit = "{ file: audit.jsonl }"
            configuration.threads = 1
            configure(&configuration)
        }
    }

    /// Negotiates TLS, announces a context and waits for the server's first word.
    private static func open(_ stream: BlockingStream, _ bench: GatewayBench, preceding: [UInt8] = []) throws {
        let context = try TLSContext(bench.tls(try bench.alice()))
        try stream.startTLS(context, serverName: "localhost", preceding: preceding)
        try BlockingClient(stream, context: "test").waitUntilReady()
    }

    private static func connect(_ bench: GatewayBench) throws -> BlockingStream {
        try BlockingStream(host: "127.0.0.1", port: bench.gateway.port)
    }

    /// The audit log's lines of one type.
    private static func audit(_ bench: GatewayBench, _ type: String, count: Int = 1) throws -> [[String: Any]] {
        var lines: [[String: Any]] = []
        try eventually("\(count) lines '\(type)' are there") {
            let text = try String(contentsOfFile: bench.directory.file("audit.jsonl"), encoding: .utf8)
            let all = try text.split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
            }
            lines = all.filter { $0["type"] as? String == type }
            return lines.count >= count
        }
        return lines
    }

    /// Sends bytes that are no client's, and waits for the end.
    private static func closing(_ bench: GatewayBench, of bytes: [UInt8], number: Int) throws -> GatewayProcess.LogLine
    {
        let stream = try connect(bench)
        try stream.send(bytes)
        stream.finishSending()
        return try bench.gateway.waitForClosings(number)
    }

    // MARK: Who the client is

    @Test(
        "a client is who the proxy says, in the log and in the audit log",
        arguments: [
            (ProxyHeaderBytes.v4(), "203.0.113.7:40312"), (ProxyHeaderBytes.v6(), "[2001:db8::7]:40312"),
        ]
    )
    func address(header: [UInt8], name: String) throws {
        let bench = try Self.bench()
        let stream = try Self.connect(bench)
        try stream.send(header)
        try Self.open(stream, bench)
        let proxy = "127.0.0.1:\(stream.localPort)"
        let accepted = try bench.gateway.waitForLog("the client") { $0["message"] == "client accepted" }
        #expect(accepted["peer"] == name)
        #expect(accepted["proxy"] == proxy)
        stream.finishSending()
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["peer"] == name)
        #expect(closing["proxy"] == proxy)
        for type in ["open", "close"] {
            let line = try Self.audit(bench, type)[0]
            #expect(line["peer"] as? String == name)
            #expect(line["proxy"] as? String == proxy)
        }
    }

    @Test("the header may come together with the beginning of TLS, and byte by byte")
    func pieces() throws {
        let bench = try Self.bench()
        try Self.open(try Self.connect(bench), bench, preceding: ProxyHeaderBytes.v4())
        let slow = try Self.connect(bench)
        for byte in ProxyHeaderBytes.v4(extensions: ProxyHeaderBytes.tlv(4, [0])) { try slow.send([byte]) }
        try Self.open(slow, bench)
        let header = ProxyHeaderBytes.v4()
        for place in 1..<header.count {
            let stream = try Self.connect(bench)
            try stream.send(Array(header[..<place]))
            try Self.open(stream, bench, preceding: Array(header[place...]))
        }
        let peers = try Self.audit(bench, "open", count: header.count + 1).compactMap { $0["peer"] as? String }
        #expect(peers.count == header.count + 1)
        #expect(Set(peers) == ["203.0.113.7:40312"])
    }

    @Test("where the proxy does not say who the client is, it is the proxy")
    func unspecified() throws {
        let bench = try Self.bench()
        let headers = [
            ProxyHeaderBytes.local(), ProxyHeaderBytes.make(family: 0, ProxyHeaderBytes.tlv(4, [1])),
            ProxyHeaderBytes.make(command: 0x20, family: 0x11, [UInt8](repeating: 7, count: 12)),
        ]
        for header in headers {
            let stream = try Self.connect(bench)
            try Self.open(stream, bench, preceding: header)
            let peer = "127.0.0.1:\(stream.localPort)"
            let lines = try Self.audit(bench, "open")
            try eventually("\(peer) is in the audit log") {
                try Self.audit(bench, "open").contains { $0["peer"] as? String == peer && $0["proxy"] == nil }
            }
            #expect(lines.allSatisfy { $0["proxy"] == nil })
        }
    }

    // MARK: Whom it is believed

    @Test("others are served without a header, and refused with one")
    func untrusted() throws {
        let bench = try Self.bench(from: "[192.0.2.0/24, \"::1\"]")
        let stream = try Self.connect(bench)
        try Self.open(stream, bench)
        #expect(try Self.audit(bench, "open")[0]["peer"] as? String == "127.0.0.1:\(stream.localPort)")
        stream.finishSending()
        try bench.gateway.waitForClosings(1)
        for (number, header) in [ProxyHeaderBytes.v4(), Array("PROXY TCP4 1.2.3.4 1.2.3.4 5 6\r\n".utf8)].enumerated() {
            let closing = try Self.closing(bench, of: header, number: number + 2)
            #expect(closing["reason"] == "not-tls")
            #expect(closing["detail"]?.contains("PROXY protocol") == true)
            #expect(closing["peer"]?.hasPrefix("127.0.0.1:") == true)
        }
    }

    @Test("a proxy has to send a header, and a right one")
    func refused() throws {
        let bench = try Self.bench()
        let stream = try Self.connect(bench)
        let context = try TLSContext(bench.tls(try bench.alice()))
        #expect(throws: (any Error).self) { try stream.startTLS(context, serverName: "localhost") }
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "proxy-header-missing")
        let cases: [([UInt8], String)] = [
            (Array("PROXY TCP4 1.2.3.4 1.2.3.4 5 6\r\n".utf8), "proxy-header-text"),
            ((0..<200).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 7) }, "proxy-header-missing"),
            (ProxyHeaderBytes.make(command: 0x22, family: 0x11, []), "proxy-header-command"),
            (ProxyHeaderBytes.make(family: 0x31, []), "proxy-header-family"),
            (ProxyHeaderBytes.v4(extensions: [1, 0, 9]), "proxy-header-extension"),
            (ProxyHeaderBytes.v4(extensions: ProxyHeaderBytes.tlv(3, [1, 2, 3, 4])), "proxy-header-checksum"),
            (ProxyHeaderBytes.make(family: 0x11, [UInt8](repeating: 0, count: 4000)), "proxy-header-length"),
            (Array(ProxyHeaderBytes.v4().dropLast()), "proxy-header-cut"),
        ]
        for (number, (bytes, reason)) in cases.enumerated() {
            let closing = try Self.closing(bench, of: bytes, number: number + 2)
            #expect(closing["reason"] == reason)
            #expect(closing["level"] == "notice")
            #expect(closing["peer"]?.hasPrefix("127.0.0.1:") == true)
        }
        #expect(try bench.recording().connections.isEmpty)
    }

    @Test("a header that does not come to its end is cut off by the handshake's deadline")
    func slow() throws {
        let bench = try Self.bench { $0.timeouts["handshake"] = "300ms" }
        let stream = try Self.connect(bench)
        try stream.send(Array(ProxyHeaderBytes.v4().dropLast()))
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "handshake-timeout")
        #expect(closing["detail"] == "no PROXY header and TLS handshake within 300 ms")
    }

    @Test("a header is believed from where a reload says")
    func reload() throws {
        let bench = try Self.bench(from: "[192.0.2.1]")
        try bench.reload { $0.proxy = "{ from: [127.0.0.1] }" }
        try Self.open(try Self.connect(bench), bench, preceding: ProxyHeaderBytes.v4())
        #expect(try Self.audit(bench, "open")[0]["peer"] as? String == "203.0.113.7:40312")
        try bench.reload(generation: 3) { $0.proxy = nil }
        try Self.open(try Self.connect(bench), bench)
        #expect(try Self.audit(bench, "open", count: 2)[1]["proxy"] == nil)
    }

    // MARK: Health checks

    @Test("health checks are logged at level debug, whichever way they end", arguments: [false, true])
    func healthChecks(reset: Bool) throws {
        let bench = try Self.bench()
        for (number, bytes) in [[], ProxyHeaderBytes.local(), ProxyHeaderBytes.v4()].enumerated() {
            // Gone at once.
            let stream = try Self.connect(bench)
            try stream.send(bytes)
            if reset { stream.resetOnClose() } else { stream.finishSending() }
            if !reset { try bench.gateway.waitForClosings(number + 1) }
            withExtendedLifetime(stream) {}
        }
        try bench.gateway.waitForClosings(3)
        for closing in bench.gateway.closings {
            #expect(closing["reason"] == "closed-before-handshake")
            #expect(closing["level"] == "debug")
        }
    }
}
