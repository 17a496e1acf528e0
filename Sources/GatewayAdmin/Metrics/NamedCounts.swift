// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import GatewayRuntime

/// How many requests ended how, by the names that they are counted by.
struct NamedCounts {
    /// Stands for all names that no rule is written with.
    static let other = "other"

    struct Count {
        var from: String
        var channel: String
        var name: String
        var outcome: AuditRequest.Outcome
        var count: Int
    }

    private struct Key: Hashable {
        var direction: AccessPolicy.Direction
        // As bytes: two spellings of a name are two names.
        var channel: [UInt8]
        var name: [UInt8]
        var outcome: AuditRequest.Outcome
    }

    /// All that are not zero, in the order of their names' numbers.
    let all: [Count]

    init(_ report: ThreadReport, _ request: AccessPolicy.Request) {
        var places: [Key: Int] = [:]
        var all: [Count] = []
        for (number, name) in report.names.requests.names.enumerated() where name.request == request {
            for outcome in AuditRequest.Outcome.allCases {
                let count = report.count(number, outcome)
                guard count > 0 else { continue }
                let channel = name.channel ?? Array(Self.other.utf8)
                let command = name.name ?? Array(Self.other.utf8)
                // A rule may be about a name that is 'other'.
                let key = Key(direction: name.direction, channel: channel, name: command, outcome: outcome)
                if let place = places[key] {
                    all[place].count += count
                    continue
                }
                places[key] = all.count
                all.append(
                    Count(
                        from: name.direction == .fromClient ? "client" : "server",
                        channel: String(decoding: channel, as: UTF8.self),
                        name: String(decoding: command, as: UTF8.self),
                        outcome: outcome,
                        count: count
                    )
                )
            }
        }
        self.all = all
    }
}
