// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@Suite("ipc-gateway explain", .blocking)
struct ExplainTests {
    @Test("explain says who the owner is, what they may do, and by which rule and line")
    func allowed() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(PolicyStage.configuration, to: "gateway.yaml")
        let result = try PolicyStage.run(
            "explain",
            "--config",
            file,
            "--certificate",
            try PolicyStage.alice(),
            "--call",
            "storage.get"
        )
        #expect(result.status == 0, "\(result.errors)")
        for line in [
            "identity  uri 'spiffe://example.org/dev/alice'", "entry     clients[0] (\(file):6)",
            "context   remote:alice, assigned", "decision  allowed by clients[0].allow[0] (\(file):9) 'read'",
            "shadow    denied: no rule allows it",
        ] {
            #expect(result.output.contains(line + "\n"), "\(line) is missing: \(result.output)")
        }
        let all = try PolicyStage.run("explain", "--config", file, "--certificate", try PolicyStage.alice())
        #expect(all.status == 0)
        #expect(all.output.contains("allow window: call show; from server -- clients[0].allow[2] (\(file):11)\n"))
    }

    @Test(
        "explain ends with 1 when the request is denied or the client refused, and says why",
        arguments: [
            (["--call", "storage.set"], "near      clients[0].allow[0] ("),
            (
                ["--call", "my.files.read", "--service", "--argument", #"{"depth":4}"#],
                "[0].depth max: 3 fails: it is 4"
            ),
            (
                ["--channel", "my.files", "--call", "read", "--argument", #"[{"depth":"4"}]"#],
                "cannot be judged: it is the text"
            ),
            (["--call", "my.files.read", "--argument", #"[{"depth":1,"depth":1}]"#], "holds a key twice"),
            (["--call", "window.show"], "it is for requests of the server"),
            (["--listen", "storage.onDidChange", "--from", "server"], "it is for requests of the client"),
        ]
    )
    func denied(arguments: [String], message: String) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(PolicyStage.configuration, to: "gateway.yaml")
        let program = try GatewayProcess.program()
        let child = try ChildProcess(
            [program, "explain", "--config", file, "--certificate", try PolicyStage.alice()] + arguments
        )
        #expect(try child.wait() == 1, "\(child.errors)")
        #expect(child.output.contains("decision  denied: no rule allows it\n"), "\(child.output)")
        #expect(child.output.contains(message), "\(child.output)")
    }

    @Test("explain judges what is announced, and a denial that rests on what cannot be judged")
    func announced() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(PolicyStage.configuration, to: "gateway.yaml")
        let ops = try PolicyStage.ops()
        func explain(_ arguments: String...) throws -> (Int32, String) {
            let child = try ChildProcess(
                [try GatewayProcess.program(), "explain", "-c", file, "--certificate", ops] + arguments
            )
            return (try child.wait(), child.output)
        }
        let (good, text) = try explain("--announce", "window:1", "--call", "a.b")
        #expect(good == 0)
        #expect(text.contains("context   window:1, announced\n"))
        #expect(text.contains("shadow    denies everything: identity-not-mapped"))
        let (bad, reason) = try explain("--announce", "main", "--call", "a.b")
        #expect(bad == 1)
        #expect(reason.contains("refused   context-not-allowed: "))
        let (odd, why) = try explain("--call", "my.files.read", "--argument", "1", "--argument", "2")
        #expect(odd == 1)
        #expect(why.contains("decision  denied by clients[1].deny[0] (\(file):15)\n"), "\(why)")
        #expect(why.contains("cannot be judged: 'depth' is asked of what is not an object"), "\(why)")
    }

    @Test("explain --json is for programs; expired certificates are warned of")
    func json() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(PolicyStage.configuration, to: "gateway.yaml")
        let expired = try TestAuthority.shared().client(
            "expired",
            uris: ["spiffe://example.org/dev/old"],
            notBefore: "-2d",
            notAfter: "-1d"
        ).certificate
        let result = try PolicyStage.run(
            "explain",
            "--config",
            file,
            "--certificate",
            expired,
            "--call",
            "storage.gett",
            "--json"
        )
        #expect(result.status == 1)
        let json = try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any]
        #expect(json?["decision"] as? String == "denied")
        #expect((json?["identity"] as? [String: Any])?["value"] as? String == "spiffe://example.org/dev/old")
        #expect((json?["misses"] as? [[String: Any]])?.first?["place"] as? String == "clients[0].allow[0]")
        #expect((json?["shadow"] as? [String: Any])?["decision"] as? String == "denied")
        #expect((json?["warnings"] as? [String])?.first?.contains("has expired") == true)
    }

    @Test("explain judges a local client by its user, groups and program")
    func local() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            """
            listeners: [{ unix: local.sock }]
            upstreams: { main: { unix: nowhere.sock } }
            clients:
              - { match: { uid: "1000", executable: /usr/bin/node }, context: "app:{uid}", allow: [{ channel: a, call: [b] }] }
              - { match: { gid: "27" }, context: staff, allow: [{ channel: a, call: [c] }] }

            """,
            to: "gateway.yaml"
        )
        for (arguments, status, message) in [
            (["--uid", "1000", "--executable", "/usr/bin/node", "--call", "a.b"], 0, "context   app:1000, assigned\n"),
            (["--uid", "7", "--gid", "5", "--gid", "27", "--call", "a.c"], 0, "identity  gid '27'\n"),
            (["--uid", "27", "--call", "a.c"], 1, "refused   identity-not-mapped: "),
            (["--uid", "+27"], 64, "--uid takes a number"), (["--gid", "27"], 64, "--uid for a local client"),
            (["--uid", "7", "--certificate", "x.pem"], 64, "either --certificate, or --uid"),
            (["--certificate", "x.pem", "--gid", "7"], 64, "--gid and --executable need --uid"),
            (["--uid", "7", "--executable", "node"], 64, "an absolute path"),
            ([], 64, "either --certificate, or --uid"),
        ] as [([String], Int32, String)] {
            let child = try ChildProcess([try GatewayProcess.program(), "explain", "--config", file] + arguments)
            #expect(try child.wait() == status, "\(arguments): \(child.errors)")
            #expect((child.output + child.errors).contains(message), "\(arguments): \(child.output)\(child.errors)")
        }
    }

    @Test("explain tells wrong usage, wrong files and refused certificates apart")
    func failures() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(PolicyStage.configuration, to: "gateway.yaml")
        let alice = try PolicyStage.alice()
        for (arguments, status, message) in [
            (["--certificate", alice, "--call", "get"], 64, "has no channel"),
            (["--certificate", alice, "--call", "a.b", "--listen", "a.b"], 64, "either --call or --listen"),
            (["--certificate", alice, "--argument", "1"], 64, "need --call or --listen"),
            (["--certificate", alice, "--call", "a.b", "--argument", "x"], 64, "is not JSON"),
            (["--certificate", "/nowhere.pem", "--call", "a.b"], 78, "/nowhere.pem"),
        ] as [([String], Int32, String)] {
            let child = try ChildProcess([try GatewayProcess.program(), "explain", "--config", file] + arguments)
            #expect(try child.wait() == status, "\(arguments)")
            #expect(child.errors.contains(message), "\(child.errors)")
        }
        #expect(try PolicyStage.run("explain", "--config", "/nowhere.yaml", "--certificate", alice).status == 78)
        let stranger = try TestAuthority.shared().client("stranger", commonName: "stranger").certificate
        let refused = try PolicyStage.run("explain", "--config", file, "--certificate", stranger, "--call", "a.b")
        #expect(refused.status == 1)
        #expect(refused.output.contains("refused   identity-not-mapped: "))
    }
}
