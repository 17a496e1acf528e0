// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol

extension SessionKeeper {
    /// Whether a refusal of who has not got the session means: not now.
    static func isTemporary(_ code: SessionCode) -> Bool {
        [.limit, .draining, .upstreamUnavailable].contains(code)
    }

    /// Whether a session is over for good when it is refused with this code.
    ///
    /// Who has the session says with the code why it ended. Another address may be another gateway, which does not know the
    /// session, or does not let this client in. Only what nobody can say without having the session counts from there.
    static func isPermanent(_ code: SessionCode, fromHome: Bool) -> Bool {
        fromHome
            || [.notYours, .sessionExpired, .revoked, .stateLost, .sequenceExhausted].contains(code)
    }

    /// What a refusal is to those who wait.
    static func end(_ code: SessionCode, _ reason: String, from name: String) -> ConnectionEnd {
        let text = reason.isEmpty ? "the server refuses the session" : reason
        return ConnectionEnd(.refused, "\(name): \(text) (\(code.rawValue))")
    }
}
