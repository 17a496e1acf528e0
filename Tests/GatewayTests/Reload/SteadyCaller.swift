// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Synchronization
import TLSEngine

/// A client that calls `sample.echo` all the time, each call with another argument, on a thread of its own.
final class SteadyCaller: Sendable {
    private struct State {
        var answered = 0
        var failure: String?
        var failedAt: ContinuousClock.Instant?
        var isOver = false
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    private let shared = Shared()

    /// Connects, and calls until ``stop()`` or the first failure.
    init(_ gateway: GatewayProcess, tls: TLSConfiguration) throws {
        let port = gateway.port
        let context = try TLSContext(tls)
        let shared = shared
        _ = Background {
            do {
                let stream = try BlockingStream(host: "127.0.0.1", port: port, tls: context, serverName: "localhost")
                let client = try BlockingClient(stream, context: "steady")
                try client.waitUntilReady()
                while !shared.state.withLock({ $0.isOver }) {
                    let number = IPCValue(shared.state.withLock { $0.answered })
                    let answer = try client.call("sample", "echo", number)
                    guard answer == number else { throw TestSupportError("\(answer) came for \(number)") }
                    shared.state.withLock { $0.answered += 1 }
                }
                client.finish()
            } catch {
                shared.state.withLock { state in
                    state.failure = "\(error)"
                    state.failedAt = ContinuousClock.now
                }
            }
        }
        try waitForAnswers(3)
    }

    /// Why it could not go on; nil while it does.
    var failure: String? { shared.state.withLock { $0.failure } }
    /// When that was.
    var failedAt: ContinuousClock.Instant? { shared.state.withLock { $0.failedAt } }
    /// How many calls have been answered.
    var answered: Int { shared.state.withLock { $0.answered } }

    /// Waits for further answers.
    func waitForAnswers(_ count: Int) throws {
        let goal = answered + count
        try eventually("\(count) answers come") {
            if let failure { throw TestSupportError("a call failed: \(failure)") }
            return answered >= goal
        }
    }

    func stop() { shared.state.withLock { $0.isOver = true } }

    deinit { stop() }
}
