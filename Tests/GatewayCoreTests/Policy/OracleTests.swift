// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import GatewayTestSupport
import TLSEngine
import Testing

@Suite("Policies and an oracle that goes through all rules")
struct OracleTests {
    /// Who there is: clients by number, each with its own rules and those of its roles.
    struct World {
        var roles: [[OracleRule]]
        var clients: [(roles: [Int], own: [OracleRule])]

        func rules(of client: Int) -> [OracleRule] {
            clients[client].roles.flatMap { roles[$0] } + clients[client].own
        }
    }

    private static func world(_ generator: inout OracleGenerator) -> World {
        var count = 0
        func rule(_ generator: inout OracleGenerator) -> OracleRule {
            count += 1
            var rule = generator.rule("r\(count)")
            if rule.call.isEmpty, rule.listen.isEmpty { rule.call = ["*"] }
            return rule
        }
        let roles = (0..<3).map { _ in generator.some(1...4, rule) }
        let clients = (0..<3).map { _ in
            (roles: (0..<3).filter { _ in generator.chance(2) }, own: generator.some(0...6, rule))
        }
        return World(roles: roles, clients: clients)
    }

    @Test("give the same answers, in whatever order the rules stand", arguments: 0..<8)
    func agreement(seed: UInt64) throws {
        var generator = OracleGenerator(random: SeededGenerator(seed: 20_261_123 + seed))
        var tally: [String: Int] = [:]
        for _ in 0..<40 {
            let world = Self.world(&generator)
            let orders = try (0..<2).map { order in
                try PolicyText.configuration(PolicyWriter.yaml(world, isShuffled: order > 0, &generator.random))
            }
            for _ in 0..<100 {
                let client = generator.pick([0, 1, 2])
                let rules = world.rules(of: client)
                let isAimed = !rules.isEmpty && generator.chance(2)
                let asked = isAimed ? generator.request(aimedAt: generator.pick(rules)) : generator.request()
                let expected = Oracle.judge(asked, rules)
                let argument = asked.argument.encoded(&generator.random)
                for configuration in orders {
                    let policy = try Self.policy(of: client, configuration)
                    let decision = policy.decision(
                        asked.request,
                        from: asked.direction,
                        asked.channel,
                        asked.name,
                        argument
                    )
                    let isAllowed = expected.deny.isEmpty && !expected.allow.isEmpty
                    #expect(decision.isAllowed == isAllowed, "\(asked), client \(client), \(world)")
                    let name = decision.rule.map { policy[$0].name } ?? nil
                    let deciding = expected.deny.isEmpty ? expected.allow : expected.deny
                    #expect(name.map(deciding.contains) ?? deciding.isEmpty, "\(name ?? "none") of \(deciding)")
                    let isConditional = decision.rule.map { !policy[$0].conditions.isEmpty } ?? false
                    tally[
                        "\(isAllowed), \(name == nil ? "no rule" : isConditional ? "condition" : "rule")",
                        default: 0
                    ] += 1
                }
            }
        }
        // An oracle that never meets a case proves nothing about it.
        for outcome in ["true, rule", "true, condition", "false, rule", "false, condition", "false, no rule"] {
            #expect(tally[outcome, default: 0] > 100, "\(tally)")
        }
    }

    private static func policy(of client: Int, _ configuration: GatewayConfiguration) throws -> AccessPolicy {
        let map = IdentityMap(
            fields: configuration.identityFields,
            entries: configuration.clients.map { .init(match: $0.match, context: $0.context) }
        )
        let entry = try map.resolve(CertificateIdentity(commonNames: ["client\(client)"])).entry
        return configuration.clients[entry].policy
    }
}
