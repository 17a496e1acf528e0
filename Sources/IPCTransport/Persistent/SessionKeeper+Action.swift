// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol

extension SessionKeeper {
    /// What has to be done.
    enum Action: Sendable, Hashable {
        /// Dial the address of this number. What becomes of it is told by `connected` or `failed`.
        case dial(Int)
        /// Stop dialling, and close the connection if there is one.
        case hangUp
        /// Close the connection so that nothing of what was sent arrives any more, if it has not.
        case abort
        /// Send this over the new connection.
        case send(SessionControl)
        /// The session is there: messages flow.
        case open
        /// The session goes on over the new connection.
        case resume
        /// Tell who wants to know.
        case report(PersistentConnection.State)
        /// It is over, for good.
        case end(ConnectionEnd)
    }
}
