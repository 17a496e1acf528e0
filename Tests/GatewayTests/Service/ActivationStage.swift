// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import TLSEngine

/// What stands behind gateways that a test starts itself, and a configuration for them.
struct ActivationStage {
    let directory: TemporaryDirectory
    let authority: TestAuthority
    let upstream: RecordingUpstream
    let file: String

    /// - Parameters:
    ///   - address: The address of the first listener.
    ///   - unix: The path of the second one; nil for none.
    init(address: String, unix: String? = nil) throws {
        directory = try TemporaryDirectory()
        authority = try TestAuthority.shared()
        upstream = try RecordingUpstream(path: directory.file("up.sock"))
        var text = GatewayConfigurationText(
            certificate: try authority.server(),
            clientCA: authority.caFile,
            upstreams: [.init(path: upstream.path, isEager: true)]
        )
        text.threads = 2
        text.timeouts = ["drain": "10m"]
        text.address = address
        if let unix { text.listeners = ["{ unix: \"\(unix)\" }"] }
        text.clients.append(GatewayBench.entry("uid: \"\(getuid())\"", context: "local:{uid}"))
        file = try directory.write(text.yaml, to: "gateway.yaml")
    }

    /// How a client speaks TLS.
    func tls() throws -> TLSConfiguration {
        authority.clientConfiguration(try authority.client("alice", uris: ["spiffe://example.org/dev/alice"]))
    }

    /// A call there and an answer back, over a connection whose server is the one with this index.
    func exchange(_ client: TestClient, _ index: Int) throws {
        client.open()
        try client.receive(count: RecordingUpstream.initialize.count)
        let server = try upstream.connection(index)
        try server.send(RecordingUpstream.initialize)
        let count = RecordingUpstream.initialize.count + Sample.answer(0).count
        client.send(Sample.call(0))
        try eventually("the server is called") { server.received.suffix(Sample.call(0).count) == Sample.call(0)[...] }
        try server.send(Sample.answer(0))
        try client.receive(count: count)
    }
}
