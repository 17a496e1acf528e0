// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import Synchronization

/// A server that keeps sessions, a line to it that a test cuts, and the program as the tunnel to it.
final class TunnelStage: Sendable {
    /// The sessions that a server has accepted.
    final class Sessions: Sendable {
        let all = Mutex<[PersistentConnection]>([])
    }

    let stage: CommandStage
    let sessions = Sessions()
    let relay: CuttingRelay
    private let files: CertificateFiles

    var directory: TemporaryDirectory { stage.directory }
    /// Where the tunnel listens.
    var socket: String { directory.file("tunnel.sock") }

    init() async throws {
        stage = try await CommandStage()
        files = try TestAuthority.shared().client("alice")
        relay = try await CuttingRelay(to: try await Self.serve(stage, sessions).port ?? 0)
    }

    /// Another server, with the same channels and sessions of its own.
    func serveAgain() async throws -> IPCListener {
        try await Self.serve(stage, sessions)
    }

    private static func serve(_ stage: CommandStage, _ sessions: Sessions) async throws -> IPCListener {
        let tls = try TestAuthority.shared().serverConfiguration()
        return try await IPCListener.open(
            .tls(host: "127.0.0.1", configuration: tls),
            sessions: SessionHosting(),
            acceptSession: { session in
                sessions.all.withLock { $0.append(session) }
                stage.server.accept(session)
            },
            accept: { stage.server.accept($0) }
        )
    }

    /// What the tunnel is started with.
    var credentials: [String] {
        get throws {
            ["--cert", files.certificate, "--key", files.key, "--ca", try TestAuthority.shared().caFile]
        }
    }

    /// Starts the tunnel and waits until it listens and has tried the gateway out.
    ///
    /// - Parameters:
    ///   - to: Where the gateway is; nil for the line that a test cuts.
    ///   - credentials: Certificates; nil for those of alice.
    ///   - more: Other options.
    func start(to: String? = nil, credentials: [String]? = nil, _ more: String...) async throws -> ChildProcess {
        var words = ["connect", "--to", to ?? "127.0.0.1:\(relay.port)", "--listen", socket]
        words += try credentials ?? self.credentials
        words += ["--log-level", "debug", "--log-format", "text"] + more
        let child = try ChildProcess([try GatewayProcess.program()] + words)
        try await eventually("the tunnel has begun: \(child.errors)") {
            child.errors.contains("the gateway lets us in") || child.errors.contains("does not let us in now")
        }
        return child
    }

    /// A client of the tunnel.
    func connect(_ context: String = "window:1") async throws -> IPCClient<String> {
        let client = try await IPCClient.connect(to: .unix(socket), context: context)
        try await client.waitUntilReady()
        return client
    }

    /// Calls `echo` through the tunnel with the program.
    func echo(_ json: String) async throws -> CommandStage.Result {
        try await stage.run(["call", "--unix", socket, "test", "echo", json])
    }

    /// Ends the tunnel as a person does.
    func stop(_ tunnel: ChildProcess) async throws -> Int32 {
        tunnel.signal(SIGINT)
        return try await tunnel.end(within: .seconds(10))
    }
}
