// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@Suite("The command line", .blocking)
struct CommandLineTests {
    @Test("A configuration is read whole or not at all: what denies may stand at its end")
    func largeConfiguration() throws {
        let directory = try TemporaryDirectory()
        let comments = String(repeating: "# nothing\n", count: 1_700_000)
        for (name, content, reason) in [
            ("large.yaml", "listeners: []\n" + comments, "has more than 16 MiB"),
            ("latin.yaml", "listeners: []\n# caf\u{e9}\n", "is not UTF-8"),
        ] {
            let file = directory.file(name)
            let data = name == "latin.yaml" ? content.data(using: .isoLatin1) : content.data(using: .utf8)
            try #require(data).write(to: URL(filePath: file))
            let check = try ChildProcess([try GatewayProcess.program(), "check", "--config", file])
            #expect(try check.wait() == 78)
            #expect(check.errors.contains("\(file): \(reason)"), "\(check.errors)")
        }
    }

    @Test("Descriptors for people that are closed are not taken by sockets")
    func closedDescriptors() throws {
        let bench = try GatewayBench()
        let path = bench.configurationFile
        let other = try bench.directory.write(
            String(contentsOfFile: path, encoding: .utf8) + "audit: { stdout: true }\n",
            to: "other.yaml"
        )
        let closing = ["/bin/sh", "-c", "exec \"$@\" >&-", "sh"]
        let refused = try ChildProcess(closing + GatewayProcess.command(other))
        #expect(try refused.wait() == 78)
        #expect(refused.errors.contains("without a standard output"), "\(refused.errors)")
        let child = try ChildProcess(["/bin/sh", "-c", "exec \"$@\" <&- >&-", "sh"] + GatewayProcess.command(path))
        try eventually("it listens") { child.errors.contains("listening") }
        for number in 0...1 {
            let target = try FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(child.pid)/fd/\(number)"
            )
            #expect(target == "/dev/null")
        }
        child.signal(SIGTERM)
        #expect(try child.wait() == 0)
    }

    private static func run(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
        let child = try ChildProcess([try GatewayProcess.program()] + arguments)
        return (try child.wait(), child.output, child.errors)
    }

    private static func configuration(_ directory: TemporaryDirectory) throws -> GatewayConfigurationText {
        let authority = try TestAuthority.shared()
        return GatewayConfigurationText(
            certificate: try authority.server(),
            clientCA: authority.caFile,
            upstreams: [.init(path: directory.file("up.sock"))]
        )
    }

    // MARK: check

    @Test("check says what a good file amounts to")
    func checkGood() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write(try Self.configuration(directory).yaml, to: "good.yaml")
        let result = try Self.run("check", "--config", file)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.isEmpty)
        #expect(result.output.contains("listens on 127.0.0.1:0, certificate of"))
        #expect(
            result.output.contains("upstream main: \(directory.file("up.sock")), dialled at a client's first request")
        )
        #expect(result.output.contains("\(file): good; 2 client entries"))
        #expect(access(directory.file("up.sock"), F_OK) != 0, "nothing is started")
    }

    @Test(
        "check and run print every problem at once, with its place and what would be right",
        arguments: ["check", "run"]
    )
    func problems(command: String) throws {
        let directory = try TemporaryDirectory()
        let yaml = """
            listeners:
              - address: localhost:7443
                tls: { certificate: a.pem, key: b.pem, clientCa: c.pem }
            upstreams:
              main: { unix: up.sock, eager: perhaps }
            identity: { from: [uri, comonName] }
            clients:
              - match: { uri: "*" }
                context: "remote:{nmae}"
                allow:
                  - { channel: storage }
                  - { channel: sample, call: echo }
                upstream: mian
            limits: { frameBytes: 16MB }
            timeouts: { drain: 0s }
            thread: 2
            """
        let file = try directory.write(yaml, to: "bad.yaml")
        let result = try Self.run(command, "--config", file)
        #expect(result.status == 78)
        #expect(result.output.isEmpty)
        let lines = result.errors.split(separator: "\n").map(String.init)
        let expected = [
            ("2:14", "listeners[0].address", "not 'localhost:7443'"),
            ("3:", "listeners[0].tls.clientCa", "did you mean 'clientCA'?"),
            ("3:", "listeners[0].tls", "'clientCA' is missing"),
            ("5:", "upstreams.main.eager", "expected true or false, not 'perhaps'"),
            ("6:", "identity.from[1]", "did you mean 'commonName'?"),
            ("9:", "clients[0].context", "unknown place {nmae}"),
            ("11:", "clients[0].allow[0]", "allows nothing"),
            ("12:", "clients[0].allow[1].call", "expected a list"),
            ("13:", "clients[0].upstream", "expected one of main, not 'mian'"),
            ("14:", "limits.frameBytes", "not '16MB'"),
            ("15:", "timeouts.drain", "out of range"),
            ("16:1", "thread", "did you mean 'threads'?"),
        ]
        for (place, path, words) in expected {
            let line = lines.first { $0.hasPrefix("error: \(file):\(place)") && $0.contains(" \(path): ") }
            #expect(line?.contains(words) == true, "\(path): \(line ?? "not reported")")
        }
        #expect(lines.count == expected.count + 1, "\(result.errors)")
        #expect(lines.last == "\(file): \(expected.count) problems; see docs/configuration.md")
    }

    @Test("Files that are missing, empty or not YAML")
    func unreadable() throws {
        let directory = try TemporaryDirectory()
        for (text, words) in [
            (nil, "cannot be read: No such file or directory"), ("", "is empty"), ("a: [", "is not YAML"),
            ("a: 1\na: 2\n", "more than once"), ("- 1\n", "expected a mapping"),
        ] {
            let file = directory.file("gateway.yaml")
            if let text { try directory.write(text, to: "gateway.yaml") }
            for command in ["run", "check"] {
                let result = try Self.run(command, "--config", file)
                #expect(result.status == 78, "\(text ?? "missing")")
                #expect(result.errors.contains(words), "\(result.errors)")
                #expect(result.errors.contains(file))
            }
        }
    }

    @Test("Certificates and keys that are missing or do not belong together")
    func badFiles() throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority.shared()
        var missing = try Self.configuration(directory)
        missing.certificate.certificate = "nowhere.pem"
        var mixed = try Self.configuration(directory)
        mixed.certificate.key = try authority.client("alice", uris: ["spiffe://example.org/dev/alice"]).key
        var noCA = try Self.configuration(directory)
        noCA.clientCA = try directory.write("", to: "empty.pem")
        for (configuration, words) in [(missing, "nowhere.pem"), (mixed, "key"), (noCA, "empty.pem")] {
            let file = try directory.write(configuration.yaml, to: "gateway.yaml")
            let result = try Self.run("check", "--config", file)
            #expect(result.status == 78)
            #expect(result.errors.contains("\(file):2: listeners[0].tls: "), "\(result.errors)")
            #expect(result.errors.contains(words), "\(result.errors)")
        }
    }

    @Test("Paths are relative to the configuration file, not to where the program runs")
    func relativePaths() throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority.shared()
        let server = try authority.server()
        var configuration = try Self.configuration(directory)
        try FileManager.default.copyItem(atPath: server.certificate, toPath: directory.file("server.pem"))
        try FileManager.default.copyItem(atPath: server.key, toPath: directory.file("server-key.pem"))
        configuration.certificate.certificate = "server.pem"
        configuration.certificate.key = "server-key.pem"
        configuration.upstreams[0].path = "up.sock"
        let file = try directory.write(configuration.yaml, to: "gateway.yaml")
        let result = try Self.run("check", "--config", file)
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.output.contains("upstream main: \(directory.file("up.sock"))"))
    }

    @Test("What is allowed but probably not meant is a warning")
    func warnings() throws {
        let directory = try TemporaryDirectory()
        var configuration = try Self.configuration(directory)
        configuration.clients = [#"{ match: { commonName: ops }, context: ops }"#]
        let file = try directory.write(configuration.yaml, to: "gateway.yaml")
        let result = try Self.run("check", "--config", file)
        #expect(result.status == 0)
        #expect(result.output.contains("warning: \(file):"))
        #expect(result.output.contains("every call and listen will be denied"))
    }

    // MARK: Others

    @Test("certs inspect prints what an entry can match")
    func inspect() throws {
        let files = try TestAuthority.shared().client(
            "inspected",
            organizationalUnits: ["team"],
            uris: ["spiffe://example.org/dev/carol"],
            dns: ["Carol.example.org"],
            emails: ["carol@example.org"]
        )
        let result = try Self.run("certs", "inspect", files.certificate)
        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n").map {
            $0.split(separator: " ", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        }
        for (field, value) in [
            ("uri", "spiffe://example.org/dev/carol"), ("dns", "carol.example.org"), ("email", "carol@example.org"),
            ("commonName", "inspected"), ("organizationalUnit", "team"),
        ] {
            #expect(lines.contains { $0.count == 2 && $0[0] == field && $0[1] == value }, "\(field): \(result.output)")
        }
        let missing = try Self.run("certs", "inspect", "/nowhere.pem")
        #expect(missing.status == 1)
        #expect(missing.errors.contains("/nowhere.pem"))
    }

    @Test("--version names the program and the TLS library")
    func version() throws {
        let result = try Self.run("--version")
        #expect(result.status == 0)
        #expect(result.output.contains("ipc-gateway 0."))
        #expect(result.output.contains("OpenSSL 3."))
    }

    @Test(
        "Wrong usage ends with 64 and a hint",
        arguments: [
            ["run"], ["check"], ["fly"], ["run", "--config"], ["run", "--config", "x", "--log-level", "loud"],
            ["run", "--config", "x", "--log-format", "xml"], ["check", "--config", "x", "extra"], ["demo", "fly"],
            ["certs", "inspect"], ["explain", "--config", "x"], ["policy", "test"], ["policy", "learn"],
            ["policy", "fly"],
        ]
    )
    func usage(arguments: [String]) throws {
        let child = try ChildProcess([try GatewayProcess.program()] + arguments)
        #expect(try child.wait() == 64)
        #expect(child.errors.contains("Error: "))
        #expect(child.errors.contains("Usage: "))
    }

    @Test(
        "--help explains every command",
        arguments: [
            [], ["run"], ["check"], ["demo"], ["certs"], ["call"], ["listen"], ["trace"], ["explain"], ["policy"],
            ["policy", "test"], ["policy", "learn"],
        ]
    )
    func help(command: [String]) throws {
        let child = try ChildProcess([try GatewayProcess.program()] + command + ["--help"])
        #expect(try child.wait() == 0)
        #expect(child.output.contains("USAGE: ipc-gateway"))
    }

    @Test("demo shows everything and succeeds, twice in the same folder")
    func demo() throws {
        let directory = try TemporaryDirectory()
        for _ in 0..<2 {
            let result = try Self.run("demo", "--directory", directory.file("demo"), "--port", "0")
            try #require(result.status == 0, "\(result.errors)")
            for words in [
                "remote:alice", "ops:night", "storage.drop()", "refused: ", "AccessDenied", "certificate required",
                "certs inspect", "ipc-gateway run --config",
            ] {
                #expect(result.output.contains(words), "\(words) is missing: \(result.output)")
            }
            #expect(access(directory.file("demo/sample.sock"), F_OK) != 0, "the server's socket is removed")
        }
        let checked = try Self.run("check", "--config", directory.file("demo/gateway.yaml"))
        #expect(checked.status == 0)
        #expect(!checked.output.contains(": clients["), "there is nothing to warn of: \(checked.output)")
    }
}
