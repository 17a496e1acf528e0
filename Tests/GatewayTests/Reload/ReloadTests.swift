// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

@Suite("A reload at SIGHUP", .blocking)
struct ReloadTests {
    @Test("takes rules away: the next call is denied, the subscription ends at the server, the rest goes on")
    func ruleRemoved() throws {
        let bench = try GatewayBench(isEager: true) { $0.audit = "{ file: audit.jsonl }" }
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        _ = try Sample.subscribe(client, server)
        let other = Frame.regular(IPCMessage.listen(id: 1, channel: "sample", event: "onOther")).encoded()
        // The call is outstanding while the rules change.
        let asked = server.receivedCount + other.count + Sample.call(7).count
        client.send(other + Sample.call(7))
        try server.receive(count: asked)
        let line = try bench.reload { text in
            let rules = "allow: [{ channel: sample, call: [get], listen: [onOther] }]"
            text.clients = ["{ match: { uri: \"spiffe://example.org/dev/*\" }, context: \"remote:alice\", \(rules) }"]
        }
        #expect((line["judged"], line["cut"], line["changed"], line["endedListens"]) == ("1", "0", "1", "1"))
        let dispose = Frame.regular(IPCMessage.unlisten(id: 0)).encoded()
        #expect(try server.receive(count: asked + dispose.count).suffix(dispose.count) == dispose[...])
        // An event of the subscription that ended was on its way; that of the other passes, and so does the answer.
        try server.send(Sample.event(0, 1) + Sample.event(1, 2) + Sample.answer(7, "late"))
        #expect(try client.frame(1).encoded() == Sample.event(1, 2))
        #expect(try client.frame(2).encoded() == Sample.answer(7, "late"))
        client.send(Sample.call(8))
        guard case .failure(8, let error) = try IPCMessage.decode(try client.frame(3).body) else {
            Issue.record("the call is not denied")
            return
        }
        #expect(error["name"] == "AccessDenied")
        server.close()
        try client.receiveToEnd()
        try bench.gateway.waitForClosings(1)
        try eventually("the audit log says it") {
            let text = try String(contentsOfFile: bench.directory.file("audit.jsonl"), encoding: .utf8)
            let lines = text.split(separator: "\n")
            let ended = lines.first { $0.contains("\"outcome\":\"revoked\"") }
            let denied = lines.first { $0.contains("\"outcome\":\"denied\"") }
            return ended?.contains("\"event\":\"onPing\"") == true && denied?.contains("\"generation\":2") == true
        }
    }

    @Test("of a file with problems changes nothing, and says which and where")
    func badFile() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        try bench.signalReload { text in
            text.certificate.certificate = "nowhere.pem"
            text.clientCA = "neither.pem"
        }
        try bench.gateway.waitForLog("the failure") {
            $0["message"]?.hasPrefix("SIGHUP: the configuration was not reloaded") == true && $0["generation"] == "1"
        }
        let problems = bench.gateway.log.compactMap { $0["message"] }.filter { $0.hasPrefix("reload: ") }
        #expect(problems.contains { $0.contains("gateway.yaml:2") && $0.contains("nowhere.pem") }, "\(problems)")
        #expect(problems.contains { $0.contains("neither.pem") }, "\(problems)")
        try bench.replaceConfiguration("clients: 5\nfoo: 1\n")
        bench.gateway.child.signal(SIGHUP)
        try bench.gateway.waitForLog("an unknown key") {
            $0["level"] == "error" && $0["message"]?.contains("gateway.yaml:2") == true
                && $0["message"]?.contains("foo") == true
        }
        // Everybody goes on, and others may come.
        client.send(Sample.call(0))
        try server.receive(count: RecordingUpstream.opening(context: "remote:alice").count + Sample.call(0).count)
        try server.send(Sample.answer(0))
        #expect(try client.frame(1).encoded() == Sample.answer(0))
        _ = try bench.open()
        // And a good file is taken after all, as the next generation.
        #expect(try bench.reload()["judged"] == "2")
    }

    @Test("of what cannot change is refused as a whole, and says what to do")
    func frozen() throws {
        let bench = try GatewayBench()
        try bench.signalReload { text in
            text.address = "127.0.0.1:1"
            text.threads = 7
            text.audit = "{ file: audit.jsonl }"
            text.clients.removeFirst()
        }
        try bench.gateway.waitForLog("the failure") { $0["problems"] == "3" }
        let problems = bench.gateway.log.compactMap { $0["message"] }.filter { $0.hasPrefix("reload: ") }
        #expect(problems.count == 3)
        for key in ["listeners[0].address", "threads", "audit"] {
            #expect(problems.contains { $0.contains(" \(key): ") && $0.hasSuffix("restart it to change it") }, "\(key)")
        }
        // The clients of the old one are still let in.
        _ = try bench.open()
    }

    /// How files of a certificate are replaced.
    enum Replacement: String, CaseIterable, Sendable {
        case rename, symlinkedDirectory
    }

    @Test("gives new connections the new certificate", arguments: Replacement.allCases)
    func rotated(replacement: Replacement) throws {
        let authority = try TestAuthority()
        let secrets = try TemporaryDirectory()
        let files = FileManager.default
        func write(_ certificate: CertificateFiles, to folder: String) throws {
            try files.createDirectory(atPath: secrets.file(folder), withIntermediateDirectories: true)
            try files.copyItem(atPath: certificate.certificate, toPath: secrets.file("\(folder)/tls.crt"))
            try files.copyItem(atPath: certificate.key, toPath: secrets.file("\(folder)/tls.key"))
        }
        // As kubelet does it: data/tls.crt → ..data/tls.crt, and ..data → a folder for each version.
        try write(try authority.server("first"), to: "v1")
        try files.createSymbolicLink(atPath: secrets.file("..data"), withDestinationPath: "v1")
        try files.createDirectory(atPath: secrets.file("data"), withIntermediateDirectories: true)
        for name in ["tls.crt", "tls.key"] {
            let target = replacement == .rename ? secrets.file("v1/\(name)") : "../..data/\(name)"
            if replacement == .rename {
                try files.copyItem(atPath: target, toPath: secrets.file("data/\(name)"))
            } else {
                try files.createSymbolicLink(atPath: secrets.file("data/\(name)"), withDestinationPath: target)
            }
        }
        let bench = try GatewayBench(authority: authority) {
            $0.certificate = CertificateFiles(
                certificate: secrets.file("data/tls.crt"),
                key: secrets.file("data/tls.key")
            )
        }
        let before = try bench.open()
        #expect(try Self.subject(bench).contains("first"))
        try write(try authority.server("second"), to: "v2")
        if replacement == .rename {
            // Between the two there is a certificate whose key is another's: that is refused, and nothing lost.
            try #require(rename(secrets.file("v2/tls.crt"), secrets.file("data/tls.crt")) == 0)
            bench.gateway.child.signal(SIGHUP)
            try bench.gateway.waitForLog("the failure") { $0["problems"] == "1" }
            #expect(try Self.subject(bench).contains("first"))
            try #require(rename(secrets.file("v2/tls.key"), secrets.file("data/tls.key")) == 0)
        } else {
            try files.createSymbolicLink(atPath: secrets.file("..data_tmp"), withDestinationPath: "v2")
            try #require(rename(secrets.file("..data_tmp"), secrets.file("..data")) == 0)
        }
        #expect(try bench.reload()["cut"] == "0")
        #expect(try Self.subject(bench).contains("second"))
        // The connection from before has noticed nothing.
        before.send(Sample.call(0))
        try bench.recording().connection(0).receive(count: 1)
        #expect(before.ending == nil)
    }

    /// The subject of the certificate that the gateway shows.
    private static func subject(_ bench: GatewayBench) throws -> String {
        let stream = try BlockingStream(
            host: "127.0.0.1",
            port: bench.gateway.port,
            tls: try TLSContext(bench.tls(try bench.alice())),
            serverName: "localhost"
        )
        return stream.peerCertificate?.subject ?? ""
    }

    @Test("leads nobody to another server: who would be is asked to connect anew")
    func otherServers() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        try bench.recording().connection().send(RecordingUpstream.initialize)
        let other = try RecordingUpstream(path: bench.directory.file("other.sock"))
        try bench.reload { $0.upstreams[0].path = other.path }
        try client.receiveToEnd()
        #expect(client.errorCode == "draining")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "servers-changed")
        _ = try bench.open()
        _ = try other.connection()
    }

    @Test("is ignored while the gateway stops, which it says")
    func stopping() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        try bench.recording().connection().send(RecordingUpstream.initialize)
        bench.gateway.child.signal(SIGTERM)
        try client.receiveToEnd()
        bench.gateway.child.signal(SIGHUP)
        try bench.gateway.waitForLog("that it is ignored") {
            $0["message"] == "SIGHUP: the gateway is stopping; the configuration is not read any more"
        }
        client.disappear(reset: false)
        #expect(try bench.gateway.child.wait() == 0)
        #expect(!bench.gateway.log.contains { $0["message"] == "configuration reloaded" })
    }

    @Test("changes limits and deadlines of those who are there")
    func limits() throws {
        let bench = try GatewayBench(isEager: true)
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        try bench.reload { text in
            text.limits = ["callsOutstanding": "1"]
            text.timeouts = ["idle": "300ms"]
        }
        client.send(Sample.call(0) + Sample.call(1))
        guard case .failure(1, let error) = try IPCMessage.decode(try client.frame(1).body) else {
            Issue.record("the second call is not refused")
            return
        }
        #expect(error["name"] == "LimitExceeded")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "idle-timeout")
    }
}
