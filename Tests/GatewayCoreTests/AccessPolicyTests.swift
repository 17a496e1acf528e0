// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import Testing

@Suite("An access policy")
struct AccessPolicyTests {
    private static func rule(_ channel: String, call: [String] = [], listen: [String] = []) throws -> AccessPolicy.Rule
    {
        AccessPolicy.Rule(
            channel: try #require(Glob(channel)),
            call: try call.map { try #require(Glob($0)) },
            listen: try listen.map { try #require(Glob($0)) }
        )
    }

    private static func allows(
        _ policy: AccessPolicy,
        _ request: AccessPolicy.Request,
        _ channel: String,
        _ name: String
    ) -> Bool {
        policy.allows(request, channel: Array(channel.utf8).span, name: Array(name.utf8).span)
    }

    @Test("without rules denies everything")
    func empty() {
        #expect(!Self.allows(AccessPolicy(), .call, "storage", "get"))
        #expect(!Self.allows(AccessPolicy(), .listen, "storage", "onDidChange"))
    }

    @Test("keeps the right to call and the right to listen apart")
    func rights() throws {
        let policy = AccessPolicy(rules: [try Self.rule("storage", call: ["get"], listen: ["onDidChange"])])
        #expect(Self.allows(policy, .call, "storage", "get"))
        #expect(Self.allows(policy, .listen, "storage", "onDidChange"))
        #expect(!Self.allows(policy, .call, "storage", "onDidChange"))
        #expect(!Self.allows(policy, .listen, "storage", "get"))
        #expect(!Self.allows(policy, .call, "storage", "set"))
        #expect(!Self.allows(policy, .call, "storage2", "get"))
    }

    @Test("is the union of its rules, in any order")
    func union() throws {
        let rules = [try Self.rule("log*", call: ["*"]), try Self.rule("storage", call: ["get"])]
        for policy in [AccessPolicy(rules: rules), AccessPolicy(rules: rules.reversed())] {
            #expect(Self.allows(policy, .call, "logger", "anything"))
            #expect(Self.allows(policy, .call, "storage", "get"))
            #expect(!Self.allows(policy, .call, "storage", "drop"))
            #expect(!Self.allows(policy, .listen, "logger", "onDidLog"))
        }
    }
}
