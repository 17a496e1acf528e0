// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCTransport
import Synchronization
import TLSEngine
import Testing

@Suite("Files and options of ipc-gateway connect", .serialized)
struct ConnectFileTests {
    private static func run(_ words: [String]) async throws -> (status: Int32, errors: String) {
        let child = try ChildProcess([try GatewayProcess.program(), "connect"] + words)
        return (try await child.end(within: .seconds(20)), child.errors)
    }

    @Test("What is missing or wrong is said, with a code for scripts")
    func wrongOptions() async throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority.shared()
        let (alice, bob) = (try authority.client("alice"), try authority.client("bob"))
        let ca = ["--ca", authority.caFile]
        let credentials = ["--cert", alice.certificate, "--key", alice.key] + ca
        let place = ["--to", "127.0.0.1:1", "--listen", directory.file("t.sock")]
        let file = try directory.write("", to: "file")
        let cases: [(words: [String], status: Int32, text: String)] = [
            ([], 64, "missing: --to"), (["--to", "a"], 64, "missing: --listen"), (place, 64, "missing: --ca"),
            (place + ca, 64, "missing: --cert FILE and --key"), (place + ["--to", "a,,b"] + credentials, 64, "a,,b"),
            (place + credentials + ["--max-clients", "0"], 64, "--max-clients takes"),
            (place + ca + ["--cert", "/no.pem", "--key", alice.key], 78, "/no.pem: cannot be opened"),
            (place + ca + ["--cert", alice.certificate, "--key", bob.key], 78, "does not belong to the certificate"),
            (["--to", "a", "--listen", file] + credentials, 69, "not a socket"),
            (["--to", "a", "--listen", "/no/where"] + credentials, 69, "No such file or directory"),
            (["--config", directory.file("none")], 78, "cannot be read"),
        ]
        for (words, status, text) in cases {
            let result = try await Self.run(words)
            #expect(result.status == status, "\(words)")
            #expect(result.errors.contains(text), "\(words): \(result.errors)")
        }
    }

    @Test("A live socket is left alone; one that nobody listens at any more is replaced")
    func socketInUse() async throws {
        let stage = try await TunnelStage()
        let tunnel = try await stage.start()
        let words = ["--to", "a", "--listen", stage.socket] + (try stage.credentials)
        let second = try await Self.run(words)
        #expect(second.status == 69)
        #expect(second.errors.contains("another server listens there"), "\(second.errors)")
        #expect(try await stage.echo("1").output == "1\n")
        tunnel.signal(SIGKILL)
        _ = try await tunnel.end()
        #expect(access(stage.socket, F_OK) == 0)
        let third = try await stage.start()
        #expect(try await stage.echo("1").output == "1\n")
        #expect(try await stage.stop(third) == 0)
    }

    @Test("A configuration file says the same as options, which override it")
    func configurationFile() async throws {
        let stage = try await TunnelStage()
        let credentials = try stage.credentials
        try stage.directory.write(
            """
            to: ["127.0.0.1:\(stage.relay.port)"]
            listen: tunnel.sock
            cert: \(credentials[1])
            key: \(credentials[3])
            ca: \(credentials[5])
            maxClients: 1
            """,
            to: "tunnel.yaml"
        )
        let words = ["connect", "--config", stage.directory.file("tunnel.yaml"), "--max-clients", "2"]
        let tunnel = try ChildProcess([try GatewayProcess.program()] + words)
        try await eventually("it listens: \(tunnel.errors)") { tunnel.errors.contains("listening") }
        let clients = [try await stage.connect(), try await stage.connect()]
        for client in clients { client.dispose() }
        #expect(try await stage.stop(tunnel) == 0)
    }

    @Test("Certificates are read anew, and bad ones change nothing")
    func reloading() async throws {
        let stage = try await TunnelStage()
        let authority = try TestAuthority.shared()
        let (alice, bob) = (try authority.client("alice"), try authority.client("bob"))
        let (cert, key) = (stage.directory.file("cert.pem"), stage.directory.file("key.pem"))
        func install(_ source: String, _ path: String) throws {
            let text = try String(contentsOfFile: source, encoding: .utf8)
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(chmod(path, 0o600) == 0)
        }
        try install(alice.certificate, cert)
        try install(alice.key, key)
        let tunnel = try await stage.start(credentials: ["--cert", cert, "--key", key, "--ca", authority.caFile])
        func commonName() async throws -> String? {
            #expect(try await stage.echo("1").status == 0)
            return stage.sessions.all.withLock { $0.last?.peerCertificate?.commonNames.first }
        }
        #expect(try await commonName() == "alice")
        try install(bob.certificate, cert)
        tunnel.signal(SIGHUP)
        try await eventually("it says that it is bad: \(tunnel.errors)") {
            tunnel.errors.contains("the certificates cannot be used; those that were read before still are")
        }
        #expect(try await commonName() == "alice")
        try install(bob.key, key)
        #expect(try await commonName() == "bob", "without a signal, too")
        #expect(tunnel.errors.contains("certificates read anew"), "\(tunnel.errors)")
        #expect(try await stage.stop(tunnel) == 0)
    }
}
