// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import IPCProtocol
import Testing

@Suite("The configuration")
struct ConfigurationTests {
    private static let good = """
        listeners:
          - address: 0.0.0.0:7443
            tls: { certificate: certs/server.pem, key: certs/server-key.pem, clientCA: certs/ca.pem }
        upstreams:
          main: { unix: /run/app/main.sock }
        clients:
          - match: { commonName: ops }
            context: { announced: ["window:*", main] }
            allow: [{ channel: "*", call: ["*"], listen: ["*"] }]
        """

    private static func read(_ yaml: String) throws(ConfigurationError) -> GatewayConfiguration {
        try GatewayConfiguration(yaml: yaml, file: "etc/gateway.yaml")
    }

    private static func problems(_ yaml: String) -> [String] {
        do throws(ConfigurationError) {
            _ = try read(yaml)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    private static func listener(
        _ configuration: GatewayConfiguration
    ) throws -> (ListenerAddress, GatewayConfiguration.ListenerTLS) {
        guard case .tcp(let address, let tls)? = configuration.listeners.first?.place else {
            throw CloseReason(.gatewayFailure, "no listener with TLS")
        }
        return (address, tls)
    }

    @Test("is read with documented defaults")
    func defaults() throws {
        let configuration = try Self.read(Self.good)
        let (address, tls) = try Self.listener(configuration)
        #expect(address == ListenerAddress(host: "0.0.0.0", port: 7443))
        #expect(tls.minimumVersion == "1.3")
        #expect(configuration.identityFields == [.uri, .dns, .commonName, .executable, .uid, .gid])
        #expect(configuration.limits == GatewayLimits())
        #expect(configuration.timeouts == GatewayTimeouts())
        #expect(configuration.upstreams[0].eager == false)
        #expect(configuration.clients[0].upstreams == ["main"])
        #expect(configuration.warnings.isEmpty)
    }

    @Test("resolves relative paths from its own folder")
    func paths() throws {
        let configuration = try Self.read(Self.good)
        #expect(configuration.resolve("certs/server.pem") == "etc/certs/server.pem")
        #expect(configuration.resolve("/run/main.sock") == "/run/main.sock")
        #expect(try GatewayConfiguration(yaml: Self.good, file: "gateway.yaml").resolve("x") == "x")
    }

    @Test("reads every key")
    func everything() throws {
        let configuration = try Self.read(
            """
            listeners:
              - address: "[::1]:0"
                tls:
                  certificate: c
                  key: k
                  clientCA: a
                  keyPassphrase: { environment: SECRET }
                  crl: r
                  resumption: off
                  keyLog: l
                  minimumVersion: "1.2"
                  cipherSuites: [TLS_AES_256_GCM_SHA384]
                  ciphers: [ECDHE-ECDSA-AES256-GCM-SHA384]
                  groups: [P-256]
            upstreams:
              main: { unix: m, eager: true }
              other: { unix: o }
            identity: { from: [fingerprint, email], deny: { serial: ["0A:1b"] } }
            clients:
              - { match: { email: "*@example.org" }, context: "{email}", upstream: other, allow: [] }
            limits: { frameBytes: 1MiB, contextBytes: 256, queueBytes: 64KiB, valueDepth: 8, valueElements: 100, jsonDepth: 9, clients: 7,
              newcomers: 6, incompleteBytes: 5MiB }
            timeouts: { handshake: 1s, context: 500ms, upstream: 2m, drain: 1h, frame: 3s, idle: 4s, stall: 5s }
            threads: 3
            """
        )
        let (address, tls) = try Self.listener(configuration)
        #expect(address == ListenerAddress(host: "::1", port: 0))
        #expect(tls.groups == ["P-256"])
        #expect(configuration.upstreams.map(\.eager) == [true, false])
        #expect(configuration.clients[0].upstreams == ["other"])
        #expect(configuration.limits.wire.frameBytes == 1 << 20)
        #expect(configuration.limits.wire.valueDepth == 8)
        #expect(configuration.limits.contextBytes == 256)
        #expect(configuration.timeouts.context == 500_000_000)
        #expect(configuration.timeouts.drain == 3_600_000_000_000)
        #expect(configuration.threads == 3)
        #expect(tls.keyPassphrase == .environment("SECRET"))
        #expect(tls.crl == "r")
        #expect(tls.resumption == 0)
        #expect(tls.keyLog == "l")
        #expect(configuration.denyList.serials == ["a1b"])
        #expect(configuration.limits.clients == 7)
        #expect(configuration.limits.newcomers == 6)
        #expect(configuration.limits.incompleteBytes == 5 << 20)
        #expect(configuration.timeouts.frame == 3_000_000_000)
        #expect(configuration.timeouts.idle == 4_000_000_000)
        #expect(configuration.timeouts.stall == 5_000_000_000)
    }

    @Test("with many mistakes reports all of them, each with its line")
    func allAtOnce() {
        let problems = Self.problems(
            """
            listeners:
              - address: localhost:7443
                tls: { certificate: c, key: k, clientca: a }
            upstreams:
              main: { unix: "" }
            clients:
              - match: {}
                context: "{nobody}"
                allow: [{ call: ["*"] }, { channel: x }]
            limits: { frameBytes: 16MB }
            timeouts: { handshake: 10 }
            thread: 2
            """
        )
        let expected = [
            "gateway.yaml:12:1: thread: unknown key; did you mean 'threads'?",
            "gateway.yaml:2:14: listeners[0].address: expected an IP address and port",
            "gateway.yaml:3:36: listeners[0].tls.clientca: unknown key; did you mean 'clientCA'?",
            "listeners[0].tls: 'clientCA' is missing",
            "gateway.yaml:5:17: upstreams.main.unix: is empty",
            "gateway.yaml:7:12: clients[0].match: is empty and would match everybody",
            "gateway.yaml:8:14: clients[0].context: unknown place {nobody}",
            "gateway.yaml:9:13: clients[0].allow[0]: 'channel' is missing",
            "gateway.yaml:9:30: clients[0].allow[1]: allows nothing",
            "gateway.yaml:10:23: limits.frameBytes: expected a size such as 16MiB",
            "gateway.yaml:11:24: timeouts.handshake: expected a duration",
        ]
        #expect(problems.count == expected.count, "\(problems.joined(separator: "\n"))")
        for text in expected {
            #expect(problems.contains { $0.contains(text) }, "missing: \(text)\n\(problems.joined(separator: "\n"))")
        }
    }

    @Test("says where a character is that YAML does not take, and does not show it")
    func controlCharacters() {
        #expect(
            Self.problems("threads: 1\nidentity: \u{e9}\u{1b}[31m") == [
                "etc/gateway.yaml:2:12: is not YAML: control characters are not allowed (U+1B)"
            ]
        )
    }

    @Test(
        "refuses what would be a guess",
        arguments: [
            ("", "is empty"), ("listeners: [", "is not YAML"), ("- a", "expected a mapping"),
            ("threads: 1\nthreads: 2", "more than once"),
            (good + "\nthreads: 0", "whole number from 1"), (good + "\nthreads: many", "whole number"),
            (good + "\nidentity: { from: [commonname] }", "did you mean 'commonName'?"),
            (good + "\nidentity: { from: [uri, uri] }", "listed twice"),
            (good + "\nidentity: { from: [uri] }", "identity.from does not list 'commonName'"),
            (good + "\nidentity: { from: uri }", "expected a list"),
            (good + "\nlimits: { valueDepth: 100000 }", "whole number from 1 to 1024"),
            (good + "\nlimits: { frameBytes: 99999999999999999999KiB }", "expected a size"),
            (good.replacing("0.0.0.0:7443", with: "::1:7443"), "needs brackets"),
            (good.replacing("0.0.0.0:7443", with: "0.0.0.0"), "an IP address and port"),
            (good.replacing("0.0.0.0:7443", with: "0.0.0.0:70000"), "an IP address and port"),
            (
                good.replacing("main: { unix: /run/app/main.sock }", with: "main: /run/app/main.sock"),
                "expected a mapping"
            ),
            (good.replacing("  main: { unix", with: "  b: { unix: x }\n  main: { unix"), "name one of b, main"),
            (good.replacing("call: [\"*\"]", with: "call: \"*\""), "expected a list"),
            (good.replacing("match: { commonName: ops }", with: "match: { commonName: ~ }"), "is empty"),
            (good.replacing("commonName: ops }", with: "commonName: [] }"), "nobody would match"),
            (good.replacing("commonName: ops }", with: "commonName: [a, ~] }"), "match.commonName[1]: is empty"),
            (good.replacing("commonName: ops }", with: "commonName: [a, 'b\\'] }"), "lone backslash"),
            (
                good.replacing("/run/app/main.sock", with: "/" + String(repeating: "x", count: 107)),
                "at most 107 bytes"
            ),
        ]
    )
    func refuses(yaml: String, message: String) {
        let problems = Self.problems(yaml)
        #expect(problems.contains { $0.contains(message) }, "\(problems)")
    }

    @Test("warns when nobody may connect, and when a client may do nothing")
    func warnings() throws {
        let nobody = try Self.read(
            String(Self.good.prefix(upTo: try #require(Self.good.range(of: "clients:")?.lowerBound)))
        )
        #expect(nobody.warnings.contains { $0.message.contains("nobody may connect") })
        let idle = try Self.read(
            Self.good.replacing("    allow: [{ channel: \"*\", call: [\"*\"], listen: [\"*\"] }]", with: "")
        )
        #expect(idle.warnings.contains { $0.message.contains("every call and listen will be denied") })
    }

    // MARK: Proxies and the sandbox

    @Test("names the proxies whose word is taken")
    func proxies() throws {
        let text = Self.good.replacingOccurrences(
            of: "    tls:",
            with: "    proxy: { from: [127.0.0.1, 10.0.0.0/8, \"::1\"] }\n    tls:"
        )
        #expect(try Self.read(text).listeners[0].proxies.map(\.description) == ["127.0.0.1", "10.0.0.0/8", "::1"])
        let wide = text.replacingOccurrences(of: "10.0.0.0/8", with: "0.0.0.0/0")
        #expect(try Self.read(wide).warnings.first?.message.contains("everybody") == true)
        for (network, message) in [
            ("10.0.0.1/8", "the network is 10.0.0.0/8"), ("localhost", "expected an address or a network"),
            ("10.0.0.0/40", "expected an address or a network"),
        ] {
            let problems = Self.problems(text.replacingOccurrences(of: "10.0.0.0/8", with: network))
            #expect(problems.count == 1)
            #expect(problems.first?.contains("etc/gateway.yaml:3:") == true, "\(problems)")
            #expect(problems.first?.contains("listeners[0].proxy.from[1]: ") == true, "\(problems)")
            #expect(problems.first?.contains(message) == true, "\(problems)")
        }
        let local = "listeners: [{ unix: a.sock, proxy: { from: [127.0.0.1] } }]\nupstreams: { main: { unix: b } }"
        #expect(Self.problems(local).first?.contains("is for an address") == true)
    }

    @Test("says how much of a sandbox there is, and whose process it becomes")
    func sandbox() throws {
        #expect(try Self.read(Self.good).sandbox == SandboxSettings())
        #expect(try Self.read(Self.good + "\nsandbox: required").sandbox.mode == .required)
        let settings = try Self.read(Self.good + "\nsandbox: { read: [/a] }\nuser: gw\ngroup: \"12\"")
        #expect(settings.sandbox.mode == .on)
        #expect(settings.sandbox.read == ["/a"])
        #expect(settings.user == "gw")
        #expect(settings.group == "12")
        for wrong in ["sandbox: maybe", "sandbox: { mode: off, write: [/a] }", "sandbox: { paths: [] }"] {
            #expect(Self.problems(Self.good + "\n" + wrong).count == 1, "\(wrong)")
        }
        let places = settings.namedFiles.map(\.place)
        #expect(places == ["", "listeners[0].tls.certificate", "listeners[0].tls.key", "listeners[0].tls.clientCA"])
    }
}
