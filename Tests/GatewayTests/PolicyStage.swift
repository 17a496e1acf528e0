// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport

/// A configuration and certificates, to ask about rules.
enum PolicyStage {
    static func run(_ arguments: String...) throws -> (status: Int32, output: String, errors: String) {
        let child = try ChildProcess([try GatewayProcess.program()] + arguments)
        return (try child.wait(), child.output, child.errors)
    }

    /// Nothing that it names is there.
    static let configuration = """
        listeners:
          - { address: 127.0.0.1:0, tls: { certificate: nowhere.pem, key: nowhere.pem, clientCA: nowhere.pem } }
        upstreams: { main: { unix: nowhere.sock } }
        identity: { from: [uri, commonName] }
        clients:
          - match: { uri: "spiffe://example.org/dev/*" }
            context: "remote:{uri.lastComponent}"
            allow:
              - { name: read, channel: storage, call: [get], listen: [onDidChange] }
              - { channel: my.files, call: [read], when: { "[0].depth": { max: 3 } } }
              - { from: server, channel: window, call: [show] }
          - match: { commonName: ops }
            context: { announced: ["window:*"] }
            allow: [{ channel: "*", call: ["*"] }]
            deny: [{ channel: my.files, call: ["*"], when: { "[0].depth": { min: 9 } } }]
        shadow:
          clients:
            - match: { uri: "spiffe://example.org/dev/*" }
              context: "remote:{uri.lastComponent}"
              allow: [{ channel: storage, listen: [onDidChange] }]

        """

    static func alice() throws -> String {
        try TestAuthority.shared().client("alice", uris: ["spiffe://example.org/dev/alice"]).certificate
    }

    static func ops() throws -> String {
        try TestAuthority.shared().client("ops", commonName: "ops").certificate
    }
}
