// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What happens to one client of a ``Tunnel``.
package enum TunnelHappening: Sendable {
    /// How a client's connection was, when it is over.
    package struct Summary: Sendable {
        /// Why it ended, for a person.
        package var reason: String
        /// Whether it ended otherwise than by the will of one of its sides.
        package var isFailure: Bool
        /// Messages and bytes from the client.
        package var sent: (messages: Int, bytes: Int)
        /// Messages and bytes for the client.
        package var received: (messages: Int, bytes: Int)

        init(reason: String, isFailure: Bool, sent: TunnelDirection.Count, received: TunnelDirection.Count) {
            self.reason = reason
            self.isFailure = isFailure
            self.sent = (sent.messages, sent.bytes)
            self.received = (received.messages, received.bytes)
        }
    }

    /// A client has connected.
    case accepted(process: Int)
    /// It was refused at once: another user, or one client too many.
    case refused(reason: String)
    /// It has a session.
    case connected(address: String)
    /// The way to the gateway has changed.
    case changed(TunnelRemote.Event)
    /// There is no session, or none any more; `ended` follows.
    case failed(reason: String)
    /// It is over.
    case ended(Summary)
}
