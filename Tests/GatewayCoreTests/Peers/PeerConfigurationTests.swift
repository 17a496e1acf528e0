// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import GatewayCore

@Suite("The configuration of peers")
struct PeerConfigurationTests {
    private static let tls = "tls: { certificate: c, key: k, ca: a }"

    private static func configuration(
        _ peers: String?,
        whom: String = "peers"
    ) throws(ConfigurationError) -> GatewayConfiguration {
        try GatewayConfiguration(
            yaml: """
                listeners:
                  - { address: "127.0.0.1:1", tls: { certificate: c, key: k, clientCA: a } }
                  - { address: "127.0.0.1:2", for: \(whom), tls: { certificate: c, key: k, clientCA: a } }
                upstreams: { main: { unix: m } }
                clients: [{ match: { uri: "x:y" }, context: c, allow: [{ channel: c, call: [d] }] }]
                \(peers.map { "peers: \($0)" } ?? "")
                """,
            file: "g.yaml"
        )
    }

    private static func problems(_ peers: String?, whom: String = "peers") -> [String] {
        do throws(ConfigurationError) {
            _ = try configuration(peers, whom: whom)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test("has their names and addresses, what they are shown, and whose certificates count")
    func whole() throws {
        let configuration = try Self.configuration(
            "{ name: gw-0, gateways: { gw-0: a.example:7444, gw-1: \"[::1]:7444\" }, \(Self.tls), "
                + "match: { uri: \"spiffe://e/gw/*\" }, timeout: 2s }"
        )
        let peers = try #require(configuration.peers)
        #expect(peers.name == "gw-0")
        #expect(peers.timeout == 2_000_000_000)
        #expect(peers.gateway(named: "gw-1")?.address == HostAndPort("[::1]:7444"))
        #expect(peers.gateway(named: "a.example") == nil)
        #expect(configuration.listeners.map(\.isForPeers) == [false, true])
        #expect(configuration.warnings.isEmpty)
    }

    @Test("is refused with what is wrong, and where")
    func wrong() {
        let match = "match: { uri: \"spiffe://e/gw/*\" }"
        #expect(Self.problems(nil).first?.contains("'peers' has to say who they are") == true)
        #expect(
            Self.problems("{ gateways: { gw-1: nowhere }, \(Self.tls), \(match) }").first?
                .contains("peers.gateways.gw-1: expected HOST:PORT, not 'nowhere'") == true
        )
        #expect(
            Self.problems("{ gateways: { \"a b\": h:1 }, \(Self.tls), \(match) }").first?
                .contains("a name of at most 64 letters") == true
        )
        #expect(Self.problems("{ gateways: {}, \(Self.tls), \(match) }").first?.contains("is empty") == true)
        #expect(Self.problems("{ gateways: { g: h:1 }, \(match) }").first?.contains("'tls' is missing") == true)
        #expect(Self.problems("{ gateways: { g: h:1 }, \(Self.tls) }").first?.contains("'match' is missing") == true)
        #expect(
            Self.problems("{ gateways: { g: h:1 }, \(Self.tls), match: { uid: \"1\" } }").contains {
                $0.contains("uid")
            }
        )
    }

    @Test("says so when nobody can bring it clients")
    func unserved() throws {
        let configuration = try Self.configuration(
            "{ gateways: { g: h:1 }, \(Self.tls), match: { uri: \"x:*\" } }",
            whom: "clients"
        )
        #expect(configuration.warnings.contains { $0.message.contains("no listener is 'for: peers'") })
    }
}
