// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("The configuration of servers, limits and answers")
struct RoutingConfigurationTests {
    private static func configuration(
        upstreams: String = "{ main: { unix: m } }",
        client: String = "",
        sections: String = ""
    ) throws(ConfigurationError) -> GatewayConfiguration {
        try GatewayConfiguration(
            yaml: """
                listeners: [{ address: "127.0.0.1:1", tls: { certificate: c, key: k, clientCA: a }, limits: { clients: 5 } }]
                upstreams: \(upstreams)
                clients: [{ match: { commonName: x }, context: c, allow: [{ channel: c, call: [d], deadline: 2s }]\(client) }]
                \(sections)
                """,
            file: "g.yaml"
        )
    }

    @Test("has servers with channels, and what becomes of clients that lose one")
    func servers() throws {
        let two = try Self.configuration(
            upstreams: #"{ main: { unix: m }, jobs: { unix: j, channels: [jobs, "jobs.*"], whenLost: close } }"#
        )
        #expect(two.clients[0].upstreams == ["main", "jobs"])
        let route = two.route(of: two.clients[0])
        #expect(route.upstreams.map(\.whenLost) == [.redial, .close])
        #expect(route.upstream(for: "jobs.daily") == "jobs")
        #expect(route.upstream(for: "other") == "main")
        let one = try Self.configuration()
        #expect(one.route(of: one.clients[0]).upstreams.map(\.whenLost) == [.close])
        let some = try Self.configuration(
            upstreams: "{ a: { unix: a }, b: { unix: b }, c: { unix: c } }",
            client: ", upstream: [c]"
        )
        #expect(some.clients[0].upstreams == ["c"])
    }

    @Test("has limits for everybody, for an entry and for a listener, deadlines, and what clients are told")
    func limits() throws {
        let configuration = try Self.configuration(
            client: ", limits: { callsPerSecond: 7, perIdentity: { callsOutstanding: 8 } }",
            sections: """
                answers: { denial: unknown-channel, stack: pass }
                limits:
                  callsOutstanding: 10
                  listens: 11
                  bytesPerSecond: 1MiB
                  perIdentity: { clients: 12, callsPerSecond: 13, bytesPerSecond: 8KiB }
                """
        )
        let shared = ClientLimits.Shared(clients: 12, callsPerSecond: 13, bytesPerSecond: 8192)
        #expect(
            configuration.limits.client
                == ClientLimits(callsOutstanding: 10, listens: 11, bytesPerSecond: 1 << 20, perIdentity: shared)
        )
        let own = configuration.clients[0].limits
        #expect(own.callsPerSecond == 7)
        #expect(own.callsOutstanding == 10)
        #expect(own.perIdentity.clients == 12)
        #expect(own.perIdentity.callsOutstanding == 8)
        #expect(configuration.answers == AnswerSettings(denial: .unknownChannel, passesStack: true))
        #expect(configuration.listeners[0].limits == ListenerLimits(clients: 5))
        #expect(configuration.clients[0].policy.rules[0].deadline == 2_000_000_000)
    }

    @Test("has bounds on sessions that outlive their connections, and a time of grace for an entry")
    func sessions() throws {
        let standard = try Self.configuration()
        #expect(standard.sessions == SessionLimits())
        #expect(standard.clients[0].graceTime == nil)
        let configuration = try Self.configuration(
            client: ", sessions: { graceTime: 12h }",
            sections: """
                sessions:
                  offered: false
                  graceTime: 1m
                  windowMessages: 17
                  windowBytes: 5KiB
                  detached: 18
                  keptBytes: 19KiB
                  perIdentity: { detached: 20, keptBytes: 21KiB }
                """
        )
        let expected = SessionLimits(
            isOffered: false,
            graceTime: 60_000_000_000,
            window: SessionWindow(messages: 17, bytes: 5 << 10),
            detached: 18,
            keptBytes: 19 << 10,
            perIdentity: SessionLimits.Shared(detached: 20, keptBytes: 21 << 10)
        )
        #expect(configuration.sessions == expected)
        #expect(configuration.clients[0].graceTime == 43_200_000_000_000)
    }

    @Test("knows which calls of a server may be repeated")
    func idempotent() throws {
        let yaml = #"[{ channel: storage, call: [get, "list*"] }, { channel: "cache.*", call: ["*"] }]"#
        let configuration = try Self.configuration(
            upstreams: "{ a: { unix: a, whenLost: redial, idempotent: \(yaml) }, b: { unix: b, channels: [b] } }"
        )
        let calls = try #require(configuration.upstreams[0].idempotent)
        let names = [
            "storage.get", "storage.listAll", "cache.x.set", "storage.set", "storage.", "storages.get", "cache.get",
        ]
        let found = names.filter { name in
            let parts = name.split(separator: ".", omittingEmptySubsequences: false)
            let channel = Array(parts.dropLast().joined(separator: ".").utf8)
            return calls.contains(channel: channel.span, command: Array(parts[parts.count - 1].utf8).span)
        }
        #expect(found == ["storage.get", "storage.listAll", "cache.x.set"])
        #expect(configuration.upstreams[1].idempotent == nil)
    }

    @Test(
        "refuses what would be a guess, or contradicts itself",
        arguments: [
            ("{ a: { unix: a }, b: { unix: b } }", "", "", "name one of a, b"),
            ("{ a: { unix: a }, b: { unix: b } }", ", upstream: [a, b]", "", "nothing tells a, b apart"),
            ("{ a: { unix: a, channels: [x] }, b: { unix: b, channels: [x] } }", "", "", "'x' of a, 'x' of b"),
            (#"{ a: { unix: a, channels: ["x*"] }, b: { unix: b, channels: ["x*y"] } }"#, "", "", "nobody can tell"),
            ("{ a: { unix: a, channels: [] } }", "", "", "channels: is empty"),
            ("{ a: { unix: a, whenLost: wait } }", "", "", "expected one of close, redial"),
            ("{ a: { unix: a, idempotent: [{ channel: c, call: [d] }] } }", "", "", "'whenLost: redial'; add it"),
            (
                "{ a: { unix: a, whenLost: close, idempotent: [{ channel: c, call: [d] }] } }", "", "",
                "a.idempotent: calls are repeated when"
            ),
            ("{ a: { unix: a, whenLost: redial, idempotent: [] } }", "", "", "a.idempotent: is empty"),
            ("{ a: { unix: a, whenLost: redial, idempotent: get } }", "", "", "expected a list of calls"),
            ("{ a: { unix: a, whenLost: redial, idempotent: [{ call: [d] }] } }", "", "", "'channel' is missing"),
            ("{ a: { unix: a, whenLost: redial, idempotent: [{ channel: c }] } }", "", "", "'call' is missing"),
            (
                "{ a: { unix: a, whenLost: redial, idempotent: [{ channel: c, call: [] }] } }", "", "",
                "idempotent[0].call: is empty"
            ),
            (
                "{ a: { unix: a, whenLost: redial, idempotent: [{ channel: c, listen: [e] }] } }", "", "",
                "idempotent[0].listen: unknown key"
            ),
            ("{ a: { unix: a } }", ", upstream: [a, a]", "", "'a' is listed twice"),
            ("{ a: { unix: a } }", ", upstream: [c]", "", "expected one of a"),
            ("{ a: { unix: a } }", ", limits: { clients: 3 }", "", "limits.clients: unknown key"),
            ("{ a: { unix: a } }", "", "limits: { callsOutstanding: 0 }", "from 1 to"),
            ("{ a: { unix: a } }", "", "limits: { bytesPerSecond: 1 }", "out of range"),
            ("{ a: { unix: a } }", "", "answers: { denial: unknown-channel, rule: true }", "contradicts denial"),
            ("{ a: { unix: a } }", "", "sessions: { detached: 0 }", "from 1 to"),
            ("{ a: { unix: a } }", "", "sessions: { grace: 1s }", "sessions.grace: unknown key"),
            ("{ a: { unix: a } }", "", "sessions: { graceTime: 25h }", "out of range"),
            ("{ a: { unix: a } }", ", sessions: { detached: 3 }", "", "sessions.detached: unknown key"),
            ("{ a: { unix: a } }", "", "answers: { stack: keep }", "expected one of remove, pass"),
            ("{ a: { unix: a } }", ", deny: [{ channel: c, call: [d], deadline: 1s }]", "", "a deadline is for calls"),
        ]
    )
    func mistakes(upstreams: String, client: String, sections: String, message: String) {
        do throws(ConfigurationError) {
            _ = try Self.configuration(upstreams: upstreams, client: client, sections: sections)
            Issue.record("was taken")
        } catch {
            let problems = error.problems.map(\.description)
            #expect(problems.contains { $0.contains(message) && $0.hasPrefix("g.yaml:") }, "\(problems)")
        }
    }
}
