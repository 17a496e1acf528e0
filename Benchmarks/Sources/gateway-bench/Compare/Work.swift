// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Something to do through each candidate.
struct Work: Sendable {
    /// Candidates say which of these they are asked for.
    enum Group: CaseIterable, Sendable {
        /// Calls of a small message.
        case calls
        /// Large messages.
        case bulk
        /// Making connections, and having them.
        case connections
    }

    var name: String
    var title: String
    var group: Group
    /// The arguments of `load`.
    var arguments: [String]
    /// The unit of what it costs.
    var unit: String
    /// What it costs, of what `load` found.
    var cost: @Sendable (Finding) -> Double?
    /// What is promised of the gateway.
    var bounds: [Bound] = []
    /// Whether client and server are on the candidate's processor, too.
    var sharesProcessor = false
    /// How long it is measured; nil for what is usual.
    var seconds: Double?

    static let all: [Work] = [
        Work(
            name: "paced",
            title: "64 connections, 20,000 calls a second in all",
            group: .calls,
            arguments: ["run", "--connections", "64", "--window", "64", "--rate", "20000"],
            unit: "µs of CPU a call",
            cost: perCall,
            bounds: [.belowPeers, .timesFloor(1.25)]
        ),
        Work(
            name: "single",
            title: "1 connection, 1 call in flight, everything on one CPU",
            group: .calls,
            arguments: ["run"],
            unit: "µs of CPU a call",
            cost: perCall,
            bounds: [.belowPeers, .timesFloor(1.25)],
            sharesProcessor: true
        ),
        Work(
            name: "many",
            title: "64 connections, 1 call in flight in each",
            group: .calls,
            arguments: ["run", "--connections", "64"],
            unit: "µs of CPU a call",
            cost: perCall,
            bounds: [.tiesWithBest(aim: 0.9)]
        ),
        Work(
            name: "pipelined",
            title: "64 connections, 16 calls in flight in each",
            group: .calls,
            arguments: ["run", "--connections", "64", "--window", "16"],
            unit: "µs of CPU a call",
            cost: perCall,
            bounds: [.tiesWithBest(aim: 0.9), .policy(1.05)]
        ),
        Work(
            name: "events",
            title: "an event to 100 connections",
            group: .calls,
            arguments: ["run", "--connections", "100", "--mode", "events"],
            unit: "µs of CPU an event",
            cost: { finding in finding.events.map { finding.processor / $0 * 1e6 } }
        ),
        Work(
            name: "download",
            title: "answers of 64 KiB, 4 connections, 4 in flight in each",
            group: .bulk,
            arguments: ["run", "--connections", "4", "--window", "4", "--mode", "down", "--payload", "65536"],
            unit: "s of CPU a GB",
            cost: perGigabyte,
            bounds: [.timesFloor(2.4), .belowOrTiesPeers]
        ),
        Work(
            name: "upload",
            title: "arguments of 64 KiB, 4 connections, 4 in flight in each",
            group: .bulk,
            arguments: ["run", "--connections", "4", "--window", "4", "--mode", "up", "--payload", "65536"],
            unit: "s of CPU a GB",
            cost: perGigabyte,
            bounds: [.timesFloor(2.4), .belowOrTiesPeers]
        ),
        Work(
            name: "full",
            title: "full handshakes, each with a call",
            group: .connections,
            arguments: ["handshakes"],
            unit: "µs of CPU a connection",
            cost: perConnection,
            bounds: [.tiesWith(["haproxy", "nginx"], aim: 0.8)]
        ),
        Work(
            name: "resumed",
            title: "resumed handshakes, each with a call",
            group: .connections,
            arguments: ["handshakes", "--resume"],
            unit: "µs of CPU a connection",
            cost: perConnection,
            bounds: [.below(["haproxy", "nginx"])]
        ),
        Work(
            name: "idle",
            title: "1,000 idle connections, after a call each",
            group: .connections,
            arguments: ["idle", "--connections", "1000", "--warm-up", "3"],
            unit: "KiB a connection",
            cost: { $0.perConnection },
            bounds: [.belowPeers],
            seconds: 0.2
        ),
        Work(
            name: "idle-after-large",
            title: "1,000 idle connections, after an answer of 256 KiB each",
            group: .connections,
            arguments: [
                "idle", "--connections", "1000", "--warm-up", "3", "--mode", "down", "--payload", "262144",
            ],
            unit: "KiB a connection",
            cost: { $0.perConnection },
            bounds: [.belowPeers],
            seconds: 0.2
        ),
    ]

    private static let perCall: @Sendable (Finding) -> Double? = { finding in
        finding.calls.map { finding.processor / $0 * 1e6 }
    }
    private static let perGigabyte: @Sendable (Finding) -> Double? = { finding in
        finding.bytes.map { finding.processor / $0 * 1e9 }
    }
    private static let perConnection: @Sendable (Finding) -> Double? = { finding in
        finding.connections.map { finding.processor / $0 * 1e6 }
    }
}
