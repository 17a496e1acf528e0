// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import TLSEngine
import Testing

@testable import GatewayRuntime

private let isThere = Landlock.available != nil && GatewayProcess.hasSandbox

@Suite("The sandbox", .blocking, .enabled(if: isThere, "no Landlock here, or TEST_SANDBOX=off"))
struct SandboxTests {
    /// A value of /proc/PID/status of each thread.
    private static func status(_ gateway: GatewayProcess, _ key: String) throws -> [String] {
        let tasks = "/proc/\(gateway.child.pid)/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).map { task in
            let text = try String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
            let line = text.split(separator: "\n").first { $0.hasPrefix("\(key):") }
            return line.map { String($0.dropFirst(key.utf8.count + 1)).trimmingCharacters(in: .whitespaces) } ?? ""
        }
    }

    private static func coreLimit(_ gateway: GatewayProcess) throws -> [Substring] {
        let text = try String(contentsOfFile: "/proc/\(gateway.child.pid)/limits", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        return line.map { $0.split(separator: " ").dropFirst(4).prefix(2).map(\.self) } ?? []
    }

    /// Says what is in force.
    private static func summary(_ gateway: GatewayProcess) -> String {
        gateway.log.compactMap { $0["message"] }.first {
            $0.hasPrefix("sandbox: landlock") || $0.hasPrefix("sandbox: off")
        } ?? ""
    }

    // MARK: In force

    @Test("is in force on every thread, says what it is, and lets calls through")
    func inForce() throws {
        let bench = try GatewayBench { $0.threads = 3 }
        let client = try bench.open()
        #expect(Self.summary(bench.gateway).hasSuffix("no_new_privs, no core dumps"), "\(bench.gateway.log)")
        let threads = try Self.status(bench.gateway, "NoNewPrivs")
        #expect(threads.count >= 4)
        #expect(Set(threads) == ["1"])
        #expect(try Self.coreLimit(bench.gateway) == ["0", "0"])
        withExtendedLifetime(client) {}
        #expect(try bench.gateway.stop() == 0)
    }

    @Test("keeps a thread from a file outside, to which even root has every right")
    func denial() throws {
        let outside = try TemporaryDirectory()
        let file = try outside.write("", to: "audit.jsonl")
        let bench = try GatewayBench { $0.audit = "{ file: audit.jsonl }" }
        let path = bench.directory.file("audit.jsonl")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: file)
        bench.gateway.child.signal(SIGUSR1)
        try bench.gateway.waitForLog("that it may not") {
            $0.values.contains { $0.contains("Permission denied") } && $0["message"]?.contains("audit") == true
        }
        try FileManager.default.removeItem(atPath: path)
        bench.gateway.child.signal(SIGUSR1)
        try bench.gateway.waitForLog("that it may") { $0["message"] == "audit log reopened" }
        #expect(try String(contentsOfFile: file, encoding: .utf8).isEmpty)
    }

    // MARK: Reload

    @Test("lets files be replaced by rename, and behind links as Kubernetes does it")
    func reload() throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority.shared()
        let manager = FileManager.default
        func volume(_ name: String, _ files: CertificateFiles) throws {
            try manager.createDirectory(atPath: directory.file("secret/..\(name)"), withIntermediateDirectories: true)
            try manager.copyItem(atPath: files.certificate, toPath: directory.file("secret/..\(name)/tls.crt"))
            try manager.copyItem(atPath: files.key, toPath: directory.file("secret/..\(name)/tls.key"))
            let link = directory.file("secret/..new")
            try manager.createSymbolicLink(atPath: link, withDestinationPath: "..\(name)")
            #expect(rename(link, directory.file("secret/..data")) == 0)
        }
        try volume("one", authority.server("first"))
        for name in ["tls.crt", "tls.key"] {
            try manager.createSymbolicLink(
                atPath: directory.file("secret/\(name)"),
                withDestinationPath: "..data/\(name)"
            )
        }
        let bench = try GatewayBench(authority: authority) { configuration in
            configuration.certificate = CertificateFiles(
                certificate: directory.file("secret/tls.crt"),
                key: directory.file("secret/..data/tls.key")
            )
        }
        func serverName() throws -> String? {
            let context = try TLSContext(bench.tls(try bench.alice()))
            let stream = try BlockingStream(
                host: "127.0.0.1",
                port: bench.gateway.port,
                tls: context,
                serverName: "localhost"
            )
            return stream.peerCertificate?.subject
        }
        let first = try serverName()
        try volume("two", authority.server("second"))
        try manager.removeItem(atPath: directory.file("secret/..one"))
        try bench.reload()
        let second = try serverName()
        #expect(first != second)
        #expect(second?.contains("second") == true, "\(second ?? "")")
    }

    @Test("makes a reload fail loudly that names a file outside of it, and nothing changes")
    func outside() throws {
        let outside = try TemporaryDirectory()
        let bench = try GatewayBench()
        let copy = outside.file("ca.pem")
        try FileManager.default.copyItem(atPath: bench.authority.caFile, toPath: copy)
        try bench.signalReload { $0.clientCA = copy }
        let line = try bench.gateway.waitForLog("why") { $0["message"]?.contains("outside of the sandbox") == true }
        #expect(line["level"] == "error")
        let message = line["message"] ?? ""
        #expect(message.contains("listeners[0].tls.clientCA: '\(copy)' is outside of the sandbox"), "\(message)")
        #expect(message.contains("restart the gateway"))
        let client = try bench.open()
        withExtendedLifetime(client) {}
        // Its folder may be named beforehand.
        let other = try GatewayBench { $0.sections = ["sandbox: { mode: required, read: [\(outside.path)] }"] }
        try other.reload { $0.clientCA = copy }
    }

    // MARK: Without

    @Test("can be switched off, on the command line and in the configuration", arguments: [true, false])
    func off(onCommandLine: Bool) throws {
        let outside = try TemporaryDirectory()
        let bench = try GatewayBench(arguments: onCommandLine ? ["--no-sandbox"] : []) {
            if !onCommandLine { $0.sections = ["sandbox: off"] }
        }
        #expect(Self.summary(bench.gateway) == "sandbox: off")
        #expect(try Set(Self.status(bench.gateway, "NoNewPrivs")) == ["0"])
        let copy = outside.file("ca.pem")
        try FileManager.default.copyItem(atPath: bench.authority.caFile, toPath: copy)
        try bench.reload { $0.clientCA = copy }
    }

    @Test("cannot be required and switched off")
    func contradiction() throws {
        let bench = try GatewayBench { $0.sections = ["sandbox: required"] }
        let run = try ChildProcess([
            try GatewayProcess.program(), "run", "--config", bench.configurationFile, "--no-sandbox",
        ])
        #expect(try run.wait() == 78)
        #expect(run.errors.contains("--no-sandbox contradicts 'sandbox: required'"), "\(run.errors)")
    }

    // MARK: The user

    @Test("root becomes the user that is named, for good", .enabled(if: geteuid() == 0, "only root can"))
    func user() throws {
        let bench = try GatewayBench(arguments: ["--user", "nobody"]) { configuration in
            configuration.audit = "{ file: open/audit.jsonl }"
            // The gateway finds its folder here, and the server its socket.
            let folder = URL(fileURLWithPath: configuration.upstreams[0].path).deletingLastPathComponent().path
            try FileManager.default.createDirectory(atPath: folder + "/open", withIntermediateDirectories: true)
            #expect(chmod(folder, 0o711) == 0)
            #expect(chmod(folder + "/open", 0o777) == 0)
            #expect(chmod(configuration.upstreams[0].path, 0o666) == 0)
        }
        let nobody = try #require(getpwnam("nobody")).pointee
        #expect(Self.summary(bench.gateway).hasSuffix(", user nobody"))
        let users = try Set(Self.status(bench.gateway, "Uid"))
        #expect(users == [Array(repeating: "\(nobody.pw_uid)", count: 4).joined(separator: "\t")])
        let groups = try Set(Self.status(bench.gateway, "Gid"))
        #expect(groups == [Array(repeating: "\(nobody.pw_gid)", count: 4).joined(separator: "\t")])
        #expect(try Set(Self.status(bench.gateway, "CapEff")) == ["0000000000000000"])
        let attributes = try FileManager.default.attributesOfItem(atPath: bench.directory.file("open/audit.jsonl"))
        #expect((attributes[.ownerAccountID] as? NSNumber)?.uint32Value == nobody.pw_uid)
        let client = try bench.open()
        // A key that only root can read.
        #expect(bench.gateway.log.contains { $0["message"]?.hasPrefix("a reload will fail: ") == true })
        try bench.signalReload()
        try bench.gateway.waitForLog("that it failed") {
            $0["message"]?.contains("Permission denied") == true && $0["level"] == "error"
        }
        withExtendedLifetime(client) {}
        #expect(try bench.gateway.stop() == 0)
    }

    @Test("a crash ends the process, instead of leaving it standing still")
    func crash() throws {
        let bench = try GatewayBench()
        bench.gateway.child.signal(SIGABRT)
        #expect(try bench.gateway.child.wait() == -SIGABRT)
    }

    @Test("operators are served for as long as there is anybody to ask")
    func operators() throws {
        let directory = try TemporaryDirectory()
        let server = try SampleServer(directory.file("s.sock"))
        let bench = try GatewayBench(upstream: .at(directory.file("s.sock"))) { $0.admin = "{ unix: admin.sock }" }
        // The library below tasks looks at its threads once a second, when there are several.
        let end = ContinuousClock.now + .seconds(3)
        while ContinuousClock.now < end {
            let children = try (0..<4).map { _ in
                try ChildProcess([GatewayProcess.program(), "health", "--admin", bench.directory.file("admin.sock")])
            }
            for child in children { #expect(try child.wait() == 0, "\(child.errors) \(child.output)") }
        }
        #expect(try bench.gateway.stop() == 0)
        try server.stop()
    }

    @Test(
        "a user that cannot be had ends the start",
        arguments: [(["--user", "no-such-user-here"], "there is no user"), (["--group", "0"], "without a user")]
    )
    func wrongUser(arguments: [String], message: String) throws {
        let bench = try GatewayBench()
        let words = [try GatewayProcess.program(), "run", "--config", bench.configurationFile] + arguments
        let run = try ChildProcess(words)
        #expect(try run.wait() == 78)
        #expect(run.errors.contains(message), "\(run.errors)")
    }

    // MARK: The helper

    @Test(
        "a helper outside of it says what local clients run, and goes with the gateway",
        arguments: [SIGTERM, SIGKILL]
    )
    func helper(signal: Int32) throws {
        let bench = try GatewayBench.local()
        let client = try bench.openLocally()
        let accepted = try bench.gateway.waitForLog("the client") { $0["message"] == "client accepted" }
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        #expect(accepted["peer"]?.contains(program.prefix(60)) == true, "\(accepted)")
        let pid = bench.gateway.child.pid
        let text = try String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
        let helper = try #require(text.split(separator: " ").compactMap { Int32($0) }.first)
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(helper)/fd")
        #expect(descriptors == ["3"])
        withExtendedLifetime(client) {}
        bench.gateway.child.signal(signal)
        try bench.gateway.child.wait()
        try eventually("the helper is gone") { kill(helper, 0) != 0 }
    }
}
