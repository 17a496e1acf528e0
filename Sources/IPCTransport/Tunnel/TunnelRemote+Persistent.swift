// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension TunnelRemote {
    /// A session that outlives its connections.
    ///
    /// - Parameters:
    ///   - connection: The session.
    ///   - goingAway: Called when the gateway wants to be left.
    package init(_ connection: PersistentConnection, goingAway: @escaping @Sendable () -> Void) {
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        let states = connection.states
        Task {
            for await state in states {
                switch state {
                case .connected: break
                case .reconnecting(let attempt, let delay, let reason):
                    continuation.yield(.reconnecting(attempt: attempt, delay: delay, reason: reason))
                case .reconnected: continuation.yield(.reconnected)
                case .goingAway(let reason):
                    goingAway()
                    continuation.yield(.goingAway(reason: reason))
                // Whoever receives its messages is told that, too.
                case .failed: break
                }
            }
            continuation.finish()
        }
        let address = connection.endpoint.map { "\($0)" } ?? ""
        self.init(transport: connection, address: address, events: events) {
            let statistics = connection.statistics
            let isAway = if case .reconnecting = connection.state { true } else { false }
            return Statistics(
                roundTripTime: statistics.roundTripTime,
                messages: statistics.unacknowledgedMessages,
                bytes: statistics.unacknowledgedBytes,
                isAway: isAway
            )
        }
    }
}
