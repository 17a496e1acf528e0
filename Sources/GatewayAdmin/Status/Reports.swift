// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayRuntime

/// What the threads have counted, asked for at most a few times in a second however many want to know.
actor Reports {
    /// How long threads may take to answer. One that is busy for so long serves nobody.
    static let patience = Duration.seconds(2)
    /// How old an answer may be.
    private static let freshness = Duration.milliseconds(200)

    /// What is known of all threads.
    struct Known: Sendable {
        /// The last report of each thread; nil for one that has never answered.
        var threads: [ThreadReport?]
        /// Whether each has answered in time just now.
        var answers: [Bool]

        /// All together. A thread that does not answer counts with what it said last, so that no counter goes back.
        var sum: ThreadReport? {
            var all = threads.compactMap(\.self)
            guard !all.isEmpty else { return nil }
            var sum = all.removeFirst()
            for report in all { sum.add(report) }
            return sum
        }
    }

    private let gateway: Gateway
    private var last: [ThreadReport?]
    private var known: (known: Known, at: ContinuousClock.Instant)?
    private var asking: Task<Known, Never>?

    init(_ gateway: Gateway) {
        self.gateway = gateway
        last = Array(repeating: nil, count: gateway.threadCount)
    }

    /// What the threads say.
    func current() async -> Known {
        if let known, ContinuousClock.now - known.at < Self.freshness { return known.known }
        if let asking { return await asking.value }
        let task = Task { await ask() }
        asking = task
        return await task.value
    }

    private func ask() async -> Known {
        let gateway = gateway
        let answers: [ThreadReport??] = await Gathering.collect(gateway.threadCount, within: Self.patience) { answer in
            gateway.askForReport { answer($0, $1) }
        }
        for (index, answer) in answers.enumerated() { last[index] = (answer ?? nil) ?? last[index] }
        let found = Known(threads: last, answers: answers.map { $0 != nil })
        known = (found, ContinuousClock.now)
        asking = nil
        return found
    }
}
