// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine

/// Gateways that bring each other their clients, each in front of a server of its own.
final class PeerStage {
    /// One of them.
    struct Member {
        var name: String
        var bench: GatewayBench
        /// Where others bring it clients.
        var peerPort: UInt16

        /// Its lines about clients that it has led elsewhere, in their order.
        func log(_ message: String) -> [GatewayProcess.LogLine] {
            bench.gateway.log.filter { $0["message"] == message }
        }
    }

    let authority: TestAuthority
    private(set) var members: [Member] = []
    private let hosts: [String: String]
    private let configure: (inout GatewayConfigurationText) throws -> Void

    /// Starts gateways that know each other.
    ///
    /// - Parameters:
    ///   - names: Their names.
    ///   - hosts: By which names they know each other, where that is not the address.
    ///   - launcher: A command that starts each, with its arguments.
    ///   - upstream: What stands behind each of them.
    ///   - configure: Changes the configuration of each.
    init(
        _ names: [String] = ["gw-a", "gw-b"],
        hosts: [String: String] = [:],
        launcher: [String] = [],
        upstream: GatewayBench.Upstream = .recording,
        configure: @escaping (inout GatewayConfigurationText) throws -> Void = { _ in }
    ) throws {
        authority = try TestAuthority()
        self.configure = configure
        self.hosts = hosts
        var ports: [String: UInt16] = [:]
        for name in names { ports[name] = try FreePort.find() }
        for name in names {
            let bench = try GatewayBench(upstream: upstream, authority: authority, launcher: launcher) {
                try self.introduce(&$0, name, knowing: ports)
            }
            members.append(Member(name: name, bench: bench, peerPort: ports[name] ?? 0))
        }
    }

    /// The configuration of a gateway that knows others by these ports.
    func introduce(
        _ text: inout GatewayConfigurationText,
        _ name: String,
        knowing ports: [String: UInt16],
        certificate: CertificateFiles? = nil
    ) throws {
        let shown = try certificate ?? authority.client(name, uris: ["spiffe://example.org/gateway/\(name)"])
        let server = try hosts[name].map { try authority.server($0, dns: [$0]) } ?? text.certificate
        text.listeners = [
            "{ address: \"127.0.0.1:\(ports[name] ?? 0)\", for: peers, tls: { certificate: \(server.certificate), key: \(server.key), "
                + "clientCA: \(authority.caFile) } }"
        ]
        let gateways = ports.sorted { $0.key < $1.key }.map {
            "\($0.key): \"\(hosts[$0.key] ?? "127.0.0.1"):\($0.value)\""
        }
        text.peers = [
            "name": name, "gateways": "{ \(gateways.joined(separator: ", ")) }", "timeout": "2s",
            "tls": "{ certificate: \(shown.certificate), key: \(shown.key), ca: \(authority.caFile) }",
            "match": "{ uri: \"spiffe://example.org/gateway/*\" }",
        ]
        try configure(&text)
    }

    /// A client of the first gateway with a session there.
    func open() throws -> (PersistentPeer, UpstreamConnection) {
        let bench = members[0].bench
        let peer = try PersistentPeer(port: bench.gateway.port, tls: bench.tls(bench.alice()))
        try SessionStage.expectOK(try peer.connect())
        try peer.announce()
        try peer.waitUntilReady()
        _ = try peer.listen("sample", "onPing")
        let server = try bench.recording().connection()
        _ = try server.receive(count: SessionStage.opening.count + Sample.listen(0).count)
        try server.send(RecordingUpstream.initialize)
        return (peer, server)
    }
}
