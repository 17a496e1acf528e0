// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport

/// Where everything plays: certificates, the server behind, and the program that makes load.
final class Scene {
    let directory: TemporaryDirectory
    let certificate: CertificateFiles
    let clientCA: String
    /// Certificate and key in one file, as some want them.
    let combined: String
    /// The socket of the server.
    let upstream: String
    /// The words in front of a candidate's command.
    let launcher: [String]
    /// The path of the gateway's program.
    let gateway: String

    /// Its files go with it.
    private let authority: TestAuthority
    private let load: String
    private let client: CertificateFiles
    private let server: ChildProcess
    private let hasTwoProcessors: Bool

    /// - Parameter wrapper: A command that starts candidates, after `taskset`; nil for none.
    init(gateway: String, load: String, cores: Cores, wrapper: String?) throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority(name: "Benchmark CA")
        self.authority = authority
        certificate = try authority.server()
        client = try authority.client("bench")
        clientCA = authority.caFile
        let (chain, key) = (certificate.certificate, certificate.key)
        let both = try String(contentsOfFile: chain, encoding: .utf8) + String(contentsOfFile: key, encoding: .utf8)
        combined = try directory.write(both, to: "combined.pem")
        chmod(combined, 0o600)
        let path = directory.file("up.sock")
        let server = try ChildProcess([load, "server", "--path", path])
        try eventually("the server listens; it says: \(server.errors)") { access(path, F_OK) == 0 }
        // hitch does not run as root.
        chmod(directory.path, 0o755)
        chmod(path, 0o777)
        upstream = path
        self.server = server
        self.directory = directory
        self.load = load
        self.gateway = gateway
        launcher = cores.gatewayLauncher + (wrapper.map { [$0] } ?? [])
        hasTwoProcessors = !cores.gatewayLauncher.isEmpty
    }

    /// Does a piece of work through a candidate, and measures what the candidate needs for it.
    func measure(_ work: Work, _ contestant: Contestant, seconds: Double, countingCalls: Bool = false) throws -> Finding
    {
        var words = [load] + work.arguments + ["--port", "\(contestant.port)", "--watch", contestant.processes]
        if contestant.candidate.hasTLS {
            words += ["--ca", clientCA, "--cert", client.certificate, "--key", client.key]
        }
        if contestant.candidate.isPersistent { words.append("--persistent") }
        if countingCalls { words.append("--system-calls") }
        words += ["--seconds", "\(work.seconds ?? seconds)"]
        if work.sharesProcessor {
            try moveServer(to: 0)
            words = ["taskset", "--cpu-list", "0"] + words
        }
        defer { if work.sharesProcessor { try? moveServer(to: 1) } }
        let child = try ChildProcess(words)
        guard try child.wait(within: .seconds(300)) == 0 else {
            throw TestSupportError(
                "\(work.name), \(contestant.candidate.title): \(child.errors)\(contestant.errors.suffix(1_000))"
            )
        }
        return try JSONDecoder().decode(Finding.self, from: Data(child.output.utf8))
    }

    private func moveServer(to processor: Int) throws {
        guard hasTwoProcessors else { return }
        let taskset = try ChildProcess(["taskset", "--cpu-list", "--pid", "\(processor)", "\(server.pid)"])
        guard try taskset.wait() == 0 else { throw TestSupportError("taskset: \(taskset.errors)") }
    }
}

/// What `load` says.
struct Finding: Decodable {
    var calls: Double?
    var events: Double?
    var bytes: Double?
    var connections: Double?
    /// Seconds that it took, and of processor time that the candidate used.
    var seconds: Double?
    var processor: Double
    var systemCalls: Double?
    /// Microseconds.
    var p50: Double?
    var p99: Double?
    /// KiB.
    var perConnection: Double?
}
