// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import TLSEngine

/// Where everything plays: certificates, a server in a process of its own, and the gateways in front of it.
final class Stage {
    /// This program.
    static let program = "/proc/self/exe"

    let directory: TemporaryDirectory
    let authority: TestAuthority
    private let gateway: String
    private let cores: Cores
    private let upstream: ChildProcess
    private let upstreamPath: String

    init(gateway: String, cores: Cores) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("up.sock")
        let upstream = try ChildProcess([Self.program, "serve", path])
        try eventually("the server listens; it says: \(upstream.errors)") { access(path, F_OK) == 0 }
        self.directory = directory
        authority = try TestAuthority(name: "Benchmark CA")
        self.gateway = gateway
        self.cores = cores
        self.upstream = upstream
        upstreamPath = path
    }

    /// Starts a gateway of one thread, on a processor of its own, or by the words of another launcher.
    func startGateway(
        _ name: String,
        clients: [String],
        audit: String? = nil,
        launcher: [String]? = nil
    ) throws -> GatewayProcess {
        var configuration = GatewayConfigurationText(
            certificate: try authority.server(),
            clientCA: authority.caFile,
            upstreams: [.init(path: upstreamPath)]
        )
        configuration.clients = clients
        configuration.audit = audit
        configuration.threads = 1
        return try GatewayProcess(
            configurationFile: try directory.write(configuration.yaml, to: "\(name).yaml"),
            logLevel: "info",
            program: gateway,
            launcher: launcher ?? cores.gatewayLauncher
        )
    }

    /// Connects a client whose certificate has this name.
    func connect(to gateway: GatewayProcess, as name: String) throws -> BlockingStream {
        try Self.connect(port: gateway.port, tls: authority.clientConfiguration(try authority.client(name)))
    }

    static func connect(port: UInt16, tls: TLSConfiguration) throws -> BlockingStream {
        try BlockingStream(host: "127.0.0.1", port: port, tls: TLSContext(tls), serverName: "localhost")
    }
}
