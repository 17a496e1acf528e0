// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC

extension PersistentConnection {
    /// How the session is doing.
    public enum State: Sendable, Hashable {
        /// Its first connection is there.
        case connected
        /// The connection was lost, or an attempt to get another has failed.
        ///
        /// - attempt: The number of the next attempt, from 1.
        /// - nextAttemptIn: When it will be made.
        /// - reason: What went wrong last.
        case reconnecting(attempt: Int, nextAttemptIn: Duration, reason: String)
        /// It goes on over another connection, got with so many attempts. Nothing was lost.
        case reconnected(attempts: Int)
        /// The peer wants to be left: finish what is outstanding, close, and open a new session. Until then this one goes on.
        case goingAway(reason: String)
        /// It is over, though neither side has closed it. The reason says why.
        case failed(ConnectionEnd)
    }

    /// Numbers about the session at one moment.
    public struct Statistics: Sendable, Hashable {
        /// How long a message takes to the peer and back, as far as is known: as measured when the peer was last asked to
        /// open or resume the session, and since then what the system says about the connection (TCP_INFO, on Linux).
        public var roundTripTime: Duration?
        /// The messages that were sent and are not acknowledged; those that wait to get into the window are counted, too.
        public var unacknowledgedMessages = 0
        /// Their size, in bytes.
        public var unacknowledgedBytes = 0
        /// How often the session has gone on over another connection.
        public var reconnections = 0

        /// Makes numbers about nothing.
        public init() {}
    }
}
