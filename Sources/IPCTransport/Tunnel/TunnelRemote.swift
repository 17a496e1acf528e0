// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

package import IPC

/// What carries one client's messages to the gateway, and how it fares.
package struct TunnelRemote: Sendable {
    /// How the way to the gateway fares.
    package enum Event: Sendable {
        /// The connection is lost; the session is not.
        ///
        /// - Parameters:
        ///   - attempt: Which attempt to connect again comes next, counted from 1.
        ///   - delay: When.
        ///   - reason: What happened.
        case reconnecting(attempt: Int, delay: Duration, reason: String)
        /// It is there again.
        case reconnected
        /// The gateway wants to be left.
        case goingAway(reason: String)
    }

    /// How much is on its way.
    package struct Statistics: Sendable {
        /// How long the gateway takes to answer; nil when that is not known.
        package var roundTripTime: Duration?
        /// Messages that the gateway has not acknowledged.
        package var messages: Int
        /// Their bytes.
        package var bytes: Int
        /// Whether there is no connection at the moment.
        package var isAway: Bool

        /// Puts them together; see the properties.
        package init(roundTripTime: Duration? = nil, messages: Int = 0, bytes: Int = 0, isAway: Bool = false) {
            self.roundTripTime = roundTripTime
            self.messages = messages
            self.bytes = bytes
            self.isAway = isAway
        }
    }

    /// Carries the messages. Not started yet.
    package var transport: any MessagePassingProtocol
    /// Where it leads to, for people.
    package var address: String
    /// What happens on the way; ends with it.
    package var events: AsyncStream<Event>
    /// How it is now.
    package var statistics: @Sendable () -> Statistics

    /// Puts one together; see the properties.
    package init(
        transport: any MessagePassingProtocol,
        address: String,
        events: AsyncStream<Event> = AsyncStream { $0.finish() },
        statistics: @escaping @Sendable () -> Statistics = { Statistics() }
    ) {
        self.transport = transport
        self.address = address
        self.events = events
        self.statistics = statistics
    }
}
