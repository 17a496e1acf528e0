// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol

/// A gateway in front of a recording server, and clients whose sessions outlive their connections.
final class SessionStage {
    static let opening = RecordingUpstream.opening(context: "remote:alice")

    let bench: GatewayBench

    init(
        authority: TestAuthority? = nil,
        configure: (inout GatewayConfigurationText) throws -> Void = { _ in }
    ) throws {
        bench = try GatewayBench(authority: authority, configure: configure)
    }

    /// A client that is not connected; alice's certificate is used when none is given.
    func peer(
        _ files: CertificateFiles? = nil,
        acknowledging: PersistentPeer.Acknowledging = .early,
        settings: SessionSettings = SessionSettings()
    ) throws -> PersistentPeer {
        try PersistentPeer(
            port: bench.gateway.port,
            tls: bench.tls(try files ?? bench.alice()),
            acknowledging: acknowledging,
            settings: settings
        )
    }

    /// A client with a session, whose server has been dialled by a subscription and has said that it is ready.
    func open(
        _ peer: PersistentPeer? = nil,
        index: Int = 0,
        opening: [UInt8] = SessionStage.opening
    ) throws -> (PersistentPeer, UpstreamConnection) {
        let peer = try peer ?? self.peer()
        try Self.expectOK(try peer.connect())
        try peer.announce()
        try peer.waitUntilReady()
        _ = try peer.listen("sample", "onPing")
        let server = try bench.recording().connection(index)
        // The client's own [200] ends at the gateway.
        _ = try server.receive(count: opening.count + Sample.listen(0).count)
        try server.send(RecordingUpstream.initialize)
        return (peer, server)
    }

    static func expectOK(_ reply: PersistentPeer.Reply) throws {
        guard case .ok = reply else { throw TestSupportError("no session: \(reply)") }
    }

    static func code(_ reply: PersistentPeer.Reply) -> SessionCode? {
        if case .refused(let code, _) = reply { code } else { nil }
    }

    /// The bodies of events with these numbers.
    static func events(_ numbers: Range<Int>) -> [UInt8] {
        numbers.flatMap { Sample.event(0, IPCValue($0)) }
    }
}
