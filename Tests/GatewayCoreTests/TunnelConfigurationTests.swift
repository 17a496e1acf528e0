// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import Testing

@Suite("The configuration of a tunnel")
struct TunnelConfigurationTests {
    private static func read(_ yaml: String) throws(ConfigurationError) -> TunnelConfiguration {
        try TunnelConfiguration(yaml: yaml, file: "/etc/tunnel/t.yaml")
    }

    @Test("has every key by choice, and paths relative to the file")
    func keys() throws {
        #expect(try Self.read("") == TunnelConfiguration())
        let tunnel = try Self.read(
            """
            to: [one.example.org, "[::1]:7444"]
            listen: app.sock
            cert: /certs/alice.pem
            key: "pkcs11:token=t"
            passphraseFile: pin
            ca: ca.pem
            serverName: gateway
            maxClients: 7
            """
        )
        #expect(tunnel.to.map(\.description) == ["one.example.org", "[::1]:7444"])
        #expect(tunnel.listen == "/etc/tunnel/app.sock")
        #expect(tunnel.cert == "/certs/alice.pem")
        #expect(tunnel.key == "pkcs11:token=t")
        #expect(tunnel.passphraseFile == "/etc/tunnel/pin")
        #expect(tunnel.ca == "/etc/tunnel/ca.pem")
        #expect(tunnel.serverName == "gateway")
        #expect(tunnel.maxClients == 7)
    }

    @Test("is refused with every mistake and its line")
    func mistakes() {
        let error = #expect(throws: ConfigurationError.self) {
            try Self.read("to: one:1\nlissten: x\nmaxClients: 0\ncert: ''\n")
        }
        #expect(error?.problems.map(\.line) == [1, 2, 3, 4])
        #expect(error?.problems[1].message == "unknown key; did you mean 'listen'?")
        let addresses = #expect(throws: ConfigurationError.self) { try Self.read("to: [a:0, b, /c]") }
        #expect(addresses?.problems.map(\.path) == ["to[0]", "to[2]"])
        #expect(throws: ConfigurationError.self) { try Self.read("to: []") }
        #expect(throws: ConfigurationError.self) { try Self.read("to: [a]\nto: [b]") }
        #expect(throws: ConfigurationError.self) { try Self.read("- to") }
    }
}
