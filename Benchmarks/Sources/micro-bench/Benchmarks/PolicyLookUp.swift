// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol

/// Judging a call by rules that each name a command, in turn.
struct PolicyLookUp: Benchmark {
    let name: String
    let operation: String
    private let isAllowed: Bool
    private let policy: AccessPolicy
    private let names: [(channel: [UInt8], command: [UInt8])]
    private let argument: [UInt8] = [0]
    private let limits = IPCLimits()

    init(rules count: Int, isAllowed: Bool) throws {
        name = "policy-\(count)-\(isAllowed ? "allowed" : "denied")"
        operation = "judge a call by \(count) rules, \(isAllowed ? "one allows it" : "none allows it")"
        self.isAllowed = isAllowed
        policy = AccessPolicy(rules: try Rules.all(count))
        // Spread over all rules, in an order in which neighbours are not neighbours in memory.
        names = (0..<min(count, 1_000)).map { index in
            let rule = index * 7_919 % count
            let command = Rules.command(rule) + (isAllowed ? "" : "x")
            return (Array(Rules.channel(rule).utf8), Array(command.utf8))
        }
    }

    func run(_ operations: Int) throws -> Int {
        var right = 0
        var turn = 0
        for _ in 0..<operations {
            let (channel, command) = names[turn]
            let decision = policy.judge(
                .call,
                channel: channel.span,
                name: command.span,
                argument: argument.span,
                limits: limits
            )
            if decision.isAllowed == isAllowed { right += 1 }
            turn = turn + 1 == names.count ? 0 : turn + 1
        }
        return right
    }
}
