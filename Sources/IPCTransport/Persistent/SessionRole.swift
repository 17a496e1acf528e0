// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol

/// The end of a session that decides what becomes of it: a client's dials again, a server's waits. Called on the session's
/// event loop.
protocol SessionRole: AnyObject {
    /// The peer has said something about the session.
    func received(_ control: SessionControl)
    /// There is no connection any more.
    func lost(_ end: ConnectionEnd)
    /// It is over.
    func ended(_ end: ConnectionEnd)
}
