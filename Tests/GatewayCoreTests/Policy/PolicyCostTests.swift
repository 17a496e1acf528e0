// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("What judging costs")
struct PolicyCostTests {
    /// Slots and patterns looked at.
    private static func steps(_ policy: AccessPolicy, _ channel: String, _ command: String) -> Int {
        var candidates = RuleTable.Candidates()
        let channel = Array(channel.utf8)
        let command = Array(command.utf8)
        _ = policy.judge(
            .call,
            .fromClient,
            channel: channel.span,
            name: command.span,
            NameHashes(channel: channel.span, name: command.span),
            [0].span,
            IPCLimits(),
            &candidates
        )
        return candidates.steps
    }

    private static func rule(_ channel: String, _ commands: String..., effect: AccessPolicy.Effect = .allow) throws
        -> AccessPolicy.Rule
    {
        AccessPolicy.Rule(
            effect,
            channel: try #require(Glob(channel)),
            call: try commands.map { try #require(Glob($0)) }
        )
    }

    /// The most steps for any of many names.
    private static func most(_ policy: AccessPolicy, _ names: [(String, String)]) -> Int {
        names.map { steps(policy, $0.0, $0.1) }.max() ?? 0
    }

    private static func mean(_ policy: AccessPolicy, _ names: [(String, String)]) -> Double {
        Double(names.map { steps(policy, $0.0, $0.1) }.reduce(0, +)) / Double(names.count)
    }

    @Test("is the same for ten rules with plain names and for ten thousand, known and unknown ones")
    func names() throws {
        for count in [10, 10_000] {
            let rules = try (0..<count).map { try Self.rule("channel\($0 / 10)", "command\($0)") }
            let policy = AccessPolicy(rules: rules)
            let known = (0..<count).map { ("channel\($0 / 10)", "command\($0)") }
            // Two look-ups in tables that are at most half full.
            #expect(Self.mean(policy, known) < 3.5, "\(count) rules")
            #expect(Self.most(policy, known) < 40, "\(count) rules")
            let unknown = (0..<1000).map { ("channel\($0 / 10)", "other\($0)") } + (0..<1000).map { ("c\($0)", "x") }
            #expect(Self.mean(policy, unknown) < 6, "\(count) rules")
        }
    }

    @Test("is the same when thousands of rules are about one channel pattern, with names and with prefixes")
    func onePattern() throws {
        for count in [10, 10_000] {
            let names = try (0..<count).map { try Self.rule("*", "command\($0)") }
            let asked = (0..<count).map { ("any", "command\($0)") }
            #expect(Self.mean(AccessPolicy(rules: names), asked) < 4.5, "\(count) rules")
            let prefixes = try (0..<count).map { try Self.rule("team\($0).*", "get*") }
            let teams = (0..<count).map { ("team\($0).storage", "getAll") }
            // One look-up for each length of a prefix that is configured.
            #expect(Self.mean(AccessPolicy(rules: prefixes), teams) < 16, "\(count) rules")
        }
    }

    @Test("does not grow with rules about the same name")
    func oneName() throws {
        let rules = try (0..<10_000).map { index in
            try Self.rule("storage", "get", effect: index == 9_999 ? .deny : .allow)
        }
        let policy = AccessPolicy(rules: rules)
        #expect(Self.steps(policy, "storage", "get") < 8)
        #expect(policy.decision(.call, "storage", "get") == .init(isAllowed: false, rule: .init(index: 9_999)))
    }
}
