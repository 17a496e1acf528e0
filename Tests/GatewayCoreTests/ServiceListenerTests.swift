// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import Testing

@Suite("Listeners whose sockets come from a service manager, or are shared")
struct ServiceListenerTests {
    private static func read(_ listeners: String) throws -> GatewayConfiguration {
        try GatewayConfiguration(
            yaml: """
                listeners:
                \(listeners)
                upstreams: { main: { unix: up.sock } }
                clients: []
                """,
            file: "gateway.yaml"
        )
    }

    private static func problems(_ listeners: String) -> [String] {
        do {
            _ = try read(listeners)
            return []
        } catch let error as ConfigurationError {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    private static let tls = "tls: { certificate: a.pem, key: a-key.pem, clientCA: ca.pem }"

    @Test("take a socket by its name")
    func names() throws {
        let listeners = try Self.read(
            "  - { address: \"systemd:tls\", \(Self.tls) }\n  - { unix: \"systemd:local\" }"
        ).listeners
        #expect(listeners.map(\.inherited) == ["tls", "local"])
        #expect(listeners.map(\.name) == ["systemd:tls", "systemd:local"])
        #expect(listeners.map(\.isShared) == [false, false])
    }

    @Test("share a port only when they say so")
    func shared() throws {
        let listeners = try Self.read("  - { address: \"[::1]:7443\", shared: true, \(Self.tls) }").listeners
        #expect(listeners.map(\.isShared) == [true])
        #expect(listeners.map(\.inherited) == [nil])
    }

    @Test(
        "say what is wrong with them",
        arguments: [
            ("  - { address: \"systemd:\", \(tls) }", "listeners[0].address: expected systemd:NAME"),
            ("  - { address: \"systemd:a:b\", \(tls) }", "listeners[0].address: expected systemd:NAME"),
            ("  - { address: \"systemd:a b\", \(tls) }", "listeners[0].address: expected systemd:NAME"),
            ("  - { address: \"systemd:a\" }", "listeners[0]: 'tls'"),
            ("  - { unix: \"systemd:a\", mode: \"0660\" }", "listeners[0].mode: the socket is made by systemd"),
            ("  - { unix: a.sock, shared: true }", "listeners[0].shared: is for an address"),
            ("  - { address: \"systemd:a\", shared: true, \(tls) }", "listeners[0].shared: is for an address"),
            ("  - { address: \"systemd:a\", \(tls) }\n  - { unix: \"systemd:a\" }", "takes the socket 'a' already"),
        ]
    )
    func mistakes(listeners: String, message: String) {
        let problems = Self.problems(listeners)
        #expect(problems.count == 1)
        #expect(problems.contains { $0.contains(message) }, "\(problems)")
    }
}
