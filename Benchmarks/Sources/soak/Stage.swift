// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import TLSEngine

/// Where everything plays: certificates, two servers in processes of their own, the gateway, and bad networks before it.
final class Stage {
    static let serverCount = 2

    let gateway: GatewayProcess
    let authority: TestAuthority
    let client: CertificateFiles
    let tls: TLSContext
    private(set) var servers: [ChildProcess] = []
    private(set) var links: [FaultyLink] = []
    private let directory: TemporaryDirectory
    private let configurationFile: String
    private let configuration: GatewayConfigurationText
    private var generation = 1
    private let descriptorLimit = 4_096

    init(gateway program: String) throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        authority = try TestAuthority(name: "Soak CA")
        client = try authority.client("alice", uris: ["spiffe://example.org/dev/alice"])
        tls = try TLSContext(authority.clientConfiguration(client))
        var configuration = GatewayConfigurationText(
            certificate: try authority.server(),
            clientCA: authority.caFile,
            upstreams: [
                .init(path: directory.file("0.sock"), members: ["whenLost": "redial"]),
                .init(
                    name: "jobs",
                    path: directory.file("1.sock"),
                    members: ["channels": "[jobs]", "whenLost": "redial"]
                ),
            ]
        )
        configuration.threads = 2
        // Sessions of TLS that can be resumed are kept on purpose, so memory would grow.
        configuration.tls = ["resumption": "off"]
        configuration.limits["perIdentity"] = "{ clients: 5000, callsOutstanding: 10000 }"
        self.configuration = configuration
        configurationFile = try directory.write(configuration.yaml, to: "gateway.yaml")
        servers = try (0..<Self.serverCount).map { try Self.start(directory, $0) }
        // Ctrl-C is for this program alone.
        gateway = try GatewayProcess(
            configurationFile: configurationFile,
            descriptorLimit: descriptorLimit,
            logLevel: "info",
            program: program,
            launcher: ["/usr/bin/env", "setsid"]
        )
        links = try (0..<4).map { _ in try FaultyLink(to: gateway.port) }
    }

    private static func start(_ directory: TemporaryDirectory, _ index: Int) throws -> ChildProcess {
        let server = try ChildProcess(
            ["/usr/bin/env", "setsid", "/proc/\(getpid())/exe", "serve", directory.file("\(index).sock")]
        )
        try eventually("server \(index) listens: \(server.errors)") { server.output.contains("listening") }
        return server
    }

    /// Starts a server again that was killed.
    func startServer(_ index: Int) throws {
        _ = try servers[index].wait()
        servers[index] = try Self.start(directory, index)
    }

    /// Lets the gateway read its configuration, and waits until it has said what came of it.
    func reload(isBroken: Bool) throws {
        try replace(with: isBroken ? configuration.yaml + "nonsense: true\n" : configuration.yaml)
        let what = isBroken ? "was not reloaded" : "configuration reloaded"
        let before = count(of: what)
        gateway.child.signal(SIGHUP)
        try eventually("the log says '\(what)'") { count(of: what) > before }
        if isBroken { try replace(with: configuration.yaml) }
    }

    private func count(of message: String) -> Int {
        gateway.log.count { $0["message"]?.contains(message) == true }
    }

    private func replace(with text: String) throws {
        let new = try directory.write(text, to: "gateway.yaml.new")
        guard rename(new, configurationFile) == 0 else {
            throw TestSupportError("\(configurationFile) cannot be replaced: \(String(cString: strerror(errno)))")
        }
    }

    /// Changes how many files the gateway may have open; nil for as many as at its start.
    func limitDescriptors(to count: Int?) throws {
        let limit = count ?? descriptorLimit
        let words = [
            "/usr/bin/env", "prlimit", "--pid", "\(gateway.child.pid)", "--nofile=\(limit):\(descriptorLimit)",
        ]
        let process = try ChildProcess(words)
        guard try process.wait() == 0 else { throw TestSupportError("prlimit: \(process.errors)") }
    }

    /// What the gateway has of everything when nobody is there.
    func measure() throws -> Holdings {
        let pid = gateway.child.pid
        // What is kept for a moment is given back after a while; the least of it is what stays.
        var least = try gateway.residentBytes()
        for _ in 0..<20 {
            letTimePass(milliseconds: 250)
            least = min(least, try gateway.residentBytes())
        }
        return Holdings(
            resident: least,
            descriptors: try gateway.descriptorCount(),
            threads: try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
        )
    }

    /// What the gateway has.
    struct Holdings {
        var resident: Int
        var descriptors: Int
        var threads: Int
    }

    /// Waits until nobody is there any more.
    func waitUntilQuiet(_ descriptors: Int) throws {
        try eventually("\(descriptors) descriptors are left of \(gateway.descriptors)", within: .seconds(60)) {
            try gateway.descriptorCount() == descriptors
        }
    }

    func stop() throws {
        for link in links { link.stop() }
        let status = try gateway.stop()
        guard status == 0 else { throw TestSupportError("the gateway ends with \(status)") }
        for server in servers { server.signal(SIGKILL) }
    }
}
