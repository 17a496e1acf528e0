// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@Suite("policy test, policy learn and check", .blocking)
struct PolicyToolsTests {
    // MARK: policy test

    @Test("policy test prints a line for each expectation that is not met, and ends with 1 then")
    func table() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(PolicyStage.configuration, to: "gateway.yaml")
        try FileManager.default.copyItem(atPath: try PolicyStage.ops(), toPath: directory.file("ops.pem"))
        let head = """
            config: gateway.yaml
            as: { alice: { uri: "spiffe://example.org/dev/alice" }, ops: { certificate: ops.pem } }
            expect:
              - { as: alice, call: storage.get, allow: true, rule: read, context: "remote:alice" }
              - { as: ops, announce: "window:1", call: [a.b, c.d], allow: true }

            """
        let good = try directory.write(head, to: "good.yaml")
        let result = try PolicyStage.run("policy", "test", good)
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        #expect(result.output == "\(good): 3 expectations, all as expected\n")
        let bad = try directory.write(head + "  - { as: alice, call: storage.get, allow: false }\n", to: "bad.yaml")
        let failed = try PolicyStage.run("policy", "test", good, bad)
        #expect(failed.status == 1)
        #expect(
            failed.output.contains(
                "\(bad):6: alice call storage.get: expected denied, but it is allowed by clients[0].allow[0] (\(file):9) 'read'\n"
            ),
            "\(failed.output)"
        )
        #expect(failed.output.hasSuffix("\(bad): 4 expectations, 1 not as expected\n"))
        let shadow = try directory.write(
            "config: gateway.yaml\nshadow: true\nexpect: [{ as: { uri: \"spiffe://example.org/dev/a\" }, call: storage.get, allow: false }]\n",
            to: "shadow.yaml"
        )
        #expect(try PolicyStage.run("policy", "test", shadow).status == 0)
    }

    @Test("policy test ends with 78 when a table, its configuration or a certificate is wrong")
    func wrongTable() throws {
        let directory = try TemporaryDirectory()
        try directory.write(PolicyStage.configuration.components(separatedBy: "shadow:")[0], to: "gateway.yaml")
        for (text, message) in [
            ("config: gateway.yaml\nexpects: []\n", ":2:1: expects: unknown key; did you mean 'expect'?"),
            ("config: nowhere.yaml\nexpect: [{ as: { uri: x }, context: y }]\n", "nowhere.yaml: cannot be read"),
            (
                "config: gateway.yaml\nshadow: true\nexpect: [{ as: { uri: x }, context: y }]\n",
                "there is no shadow: section"
            ),
            ("config: gateway.yaml\nexpect: [{ as: { certificate: no.pem }, context: y }]\n", ":2: "),
        ] {
            let file = try directory.write(text, to: "table.yaml")
            let result = try PolicyStage.run("policy", "test", file)
            #expect(result.status == 78, "\(text)")
            #expect(result.errors.contains(message), "\(result.errors)")
        }
        #expect(try PolicyStage.run("policy", "test", directory.file("missing.yaml")).status == 78)
    }

    // MARK: policy learn

    @Test("policy learn prints rules that a configuration takes; from files and standard input")
    func learn() throws {
        let directory = try TemporaryDirectory()
        let who =
            #""connection":"1","identityField":"uri","identity":"spiffe://example.org/dev/alice","context":"remote:alice""#
        let lines = """
            {"v":1,"type":"open",\(who),"contextAssigned":true,"entry":"clients[0]","match":{"uri":["spiffe://example.org/dev/alice"]}}
            {"v":1,"type":"call",\(who),"from":"client","channel":"storage","command":"get","outcome":"ok","rule":"r","upstream":"main"}
            {"v":1,"type":"call",\(who),"from":"client","channel":"storage","command":"drop","outcome":"denied"}
            {"v":1,"type":"dropped","count":2}

            """
        let file = try directory.write(lines, to: "audit.jsonl")
        let result = try PolicyStage.run("policy", "learn", file)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("      - { channel: storage, call: [get] }\n"), "\(result.output)")
        #expect(result.errors.contains("warning: the gateway dropped 2 lines"))
        #expect(result.errors.contains("warning: 1 line of denied requests"))

        let command = "exec \"$0\" policy learn --include-denied - < \"$1\""
        let child = try ChildProcess(["/bin/sh", "-c", command, try GatewayProcess.program(), file])
        #expect(try child.wait() == 0)
        #expect(child.output.contains("call: [drop, get]"))

        let base = PolicyStage.configuration.components(separatedBy: "clients:")[0]
        let learned = try directory.write(base + result.output, to: "learned.yaml")
        let explained = try PolicyStage.run(
            "explain",
            "--config",
            learned,
            "--certificate",
            try PolicyStage.alice(),
            "--call",
            "storage.get"
        )
        #expect(explained.status == 0, "\(explained.errors)")
        let other = try PolicyStage.run(
            "explain",
            "--config",
            learned,
            "--certificate",
            try PolicyStage.alice(),
            "--call",
            "storage.set"
        )
        #expect(other.status == 1)
    }

    @Test("policy learn ends with 1 when a client was assigned several contexts, and names the lines")
    func severalContexts() throws {
        let directory = try TemporaryDirectory()
        let lines = ["a", "b"].map { context in
            #"{"v":1,"type":"open","connection":"\#(context)","identityField":"uid","identity":"7","#
                + #""match":{"uid":["7"]},"context":"\#(context)","contextAssigned":true}"#
        }
        let file = try directory.write(lines.joined(separator: "\n"), to: "audit.jsonl")
        let result = try PolicyStage.run("policy", "learn", file)
        #expect(result.status == 1)
        #expect(result.errors.contains("error: \(file):1, \(file):2: uid '7' has several contexts ('a', 'b')"))
        #expect(result.output.isEmpty)
    }

    @Test("policy learn names the line that is none of an audit log")
    func noAudit() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("{\"v\":1,\"type\":\"dropped\"}\n\nnonsense\n", to: "audit.jsonl")
        let result = try PolicyStage.run("policy", "learn", file)
        #expect(result.status == 1)
        #expect(result.errors.contains("error: \(file):3: the line is not JSON"), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    // MARK: check

    @Test("check warns of rules that change nothing, in the shadow too")
    func check() throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority.shared()
        var configuration = GatewayConfigurationText(
            certificate: try authority.server(),
            clientCA: authority.caFile,
            upstreams: [.init(path: directory.file("up.sock"))]
        )
        configuration.clients = [
            #"{ match: { commonName: ops }, context: ops, allow: [{ channel: a, call: [b] }, { channel: a, call: ["*"] }] }"#
        ]
        let shadow =
            "shadow: { clients: [{ match: { uri: \"**\" }, context: c, allow: [{ channel: a, call: [b] }] }] }\n"
        let file = try directory.write(configuration.yaml + shadow, to: "gateway.yaml")
        let result = try PolicyStage.run("check", "--config", file)
        #expect(result.status == 0, "\(result.errors)")
        #expect(
            result.output.contains("clients[0].allow[0]: is not needed: all of it is allowed by clients[0].allow[1]")
        )
        #expect(result.output.contains("shadow.clients[0].match: matches everybody who has a certificate with a uri"))
        #expect(result.output.contains("shadow policy: 1 client entry, judged and never obeyed\n"))
        let warnings = result.output.split(separator: "\n").filter {
            $0.hasPrefix("warning: ") && $0.contains("clients[")
        }
        #expect(warnings.count == 2, "\(warnings)")
    }
}
