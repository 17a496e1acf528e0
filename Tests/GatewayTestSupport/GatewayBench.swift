// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import TLSEngine

/// A gateway in front of a recording upstream, in a directory of its own, and certificates for its clients.
public final class GatewayBench: Sendable {
    /// The directory.
    public let directory: TemporaryDirectory
    /// The authority of all certificates.
    public let authority: TestAuthority
    /// The upstream; nil when there is none.
    public let upstream: RecordingUpstream?
    /// The gateway.
    public let gateway: GatewayProcess
    private let strangers = Mutex<TestAuthority?>(nil)
    /// The configuration as it was written.
    public let configurationFile: String
    /// What it was made of.
    public let configuration: GatewayConfigurationText

    /// What stands behind the gateway.
    public enum Upstream: Sendable {
        /// A server that records.
        case recording
        /// A server that never accepts; so many connections fit its queue.
        case notAccepting(backlog: Int32)
        /// Nothing: the path is free.
        case nothing
        /// A server that somebody else starts, at the given path.
        case at(String)
    }

    /// Starts everything.
    public init(
        upstream: Upstream = .recording,
        isEager: Bool = false,
        descriptorLimit: Int? = nil,
        logLevel: String = "debug",
        authority: TestAuthority? = nil,
        environment: [String: String] = [:],
        launcher: [String] = [],
        arguments: [String] = [],
        configure: (inout GatewayConfigurationText) throws -> Void = { _ in }
    ) throws {
        let directory = try TemporaryDirectory()
        self.directory = directory
        self.authority = try authority ?? TestAuthority.shared()
        var path = directory.file("up.sock")
        switch upstream {
        case .recording: self.upstream = try RecordingUpstream(path: path)
        case .notAccepting(let backlog):
            self.upstream = try RecordingUpstream(path: path, isAccepting: false, backlog: backlog)
        case .nothing: self.upstream = nil
        case .at(let other):
            self.upstream = nil
            path = other
        }
        var configuration = GatewayConfigurationText(
            certificate: try self.authority.server(),
            clientCA: self.authority.caFile,
            upstreams: [.init(path: path, isEager: isEager)]
        )
        try configure(&configuration)
        self.configuration = configuration
        self.configurationFile = try directory.write(configuration.yaml, to: "gateway.yaml")
        self.gateway = try GatewayProcess(
            configurationFile: self.configurationFile,
            descriptorLimit: descriptorLimit,
            logLevel: logLevel,
            environment: environment,
            launcher: launcher,
            arguments: arguments
        )
    }

    /// The upstream that records.
    public func recording() throws -> RecordingUpstream {
        guard let upstream else {
            throw TestSupportError("this bench has no upstream")
        }
        return upstream
    }

    // MARK: Clients

    /// The certificate of `spiffe://example.org/dev/alice`, whose context is assigned: `remote:alice`.
    public func alice() throws -> CertificateFiles {
        try self.authority.client("alice", uris: ["spiffe://example.org/dev/alice"])
    }

    /// The certificate of `ops`, whose context is what it announces.
    public func ops() throws -> CertificateFiles {
        try self.authority.client("ops")
    }

    /// A certificate with alice's name from an authority that the gateway does not trust.
    public func strangersAlice() throws -> CertificateFiles {
        try self.strangers.withLock { strangers in
            let authority = try strangers ?? TestAuthority(name: "Other CA")
            strangers = authority
            return try authority.client("alice", uris: ["spiffe://example.org/dev/alice"])
        }
    }

    /// How a client speaks TLS.
    public func tls(_ files: CertificateFiles?) -> TLSConfiguration {
        self.authority.clientConfiguration(files)
    }

    /// Connects over TLS; alice's certificate is used when none is given.
    public func connect(_ files: CertificateFiles? = nil) throws -> TestClient {
        TestClient(port: self.gateway.port, tls: self.tls(try files ?? self.alice()))
    }

    /// Connects, announces a context and waits for the gateway's `[200]`.
    public func open(_ files: CertificateFiles? = nil) throws -> TestClient {
        let client = try self.connect(files)
        client.open()
        try client.receive(count: RecordingUpstream.initialize.count)
        return client
    }
}
