// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Lets only a few tests run at once, in the order in which they come. Each starts a Node, which takes its time, and what
/// they wait for has deadlines: with a hundred at once those would pass.
actor Turn {
    /// How much of the machine a test takes.
    enum Weight: Int {
        case light = 1
        /// Much is copied, which takes long in builds for development and keeps the threads from other connections.
        case heavy = 4
    }

    private static let shared = Turn()

    private var free = Weight.heavy.rawValue
    private var waiting: [(weight: Int, turn: CheckedContinuation<Void, Never>)] = []

    /// Waits for its turn, and runs.
    static func run(_ weight: Weight = .light, _ body: () async throws -> Void) async throws {
        await shared.take(weight.rawValue)
        let outcome: Result<Void, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        await shared.give(weight.rawValue)
        try outcome.get()
    }

    private func take(_ weight: Int) async {
        if waiting.isEmpty, free >= weight {
            free -= weight
        } else {
            await withCheckedContinuation { waiting.append((weight, $0)) }
        }
    }

    private func give(_ weight: Int) {
        free += weight
        while let first = waiting.first, free >= first.weight {
            free -= first.weight
            waiting.removeFirst().turn.resume()
        }
    }
}
