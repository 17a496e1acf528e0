// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What a client needs to resume a session with the server it came from.
///
/// It is good for any thread, but only for the `TLSContext` and the server name it came from, and as long as
/// `TLSConfiguration.sessionLifetime` and the server's certificates allow: given to another connection, or too late, it
/// is passed over and the handshake is a full one. In TLS 1.3 a server takes each only once. It holds secrets.
public final class TLSResumptionState: @unchecked Sendable {
    // Unchecked: the SSL_SESSION is a copy made for this object, and only copied from then on.
    let pointer: OpaquePointer
    let record: VerificationRecord
    private let context: TLSContext
    private let serverName: String

    /// - Parameter pointer: A reference that belongs to the new object.
    init(owning pointer: OpaquePointer, record: VerificationRecord, context: TLSContext, serverName: String) {
        self.pointer = pointer
        self.record = record
        self.context = context
        self.serverName = serverName
    }

    deinit {
        SSL_SESSION_free(self.pointer)
    }

    /// What the server proved when the session began.
    public var evidence: ResumptionEvidence { self.record.evidence }

    /// The same, as if it had come from another context; for tests of what a server does with it.
    package func moved(to context: TLSContext, serverName: String? = nil) -> TLSResumptionState? {
        SSL_SESSION_dup(self.pointer).map {
            TLSResumptionState(
                owning: $0,
                record: self.record,
                context: context,
                serverName: serverName ?? self.serverName
            )
        }
    }

    /// Lets a connection that has not begun offer the session, if it may.
    func offer(on ssl: OpaquePointer, context: TLSContext, serverName: String) {
        defer { OpenSSLErrors.clear() }
        guard context === self.context, serverName.utf8.elementsEqual(self.serverName.utf8),
            context.mayResume(self.record), let copy = SSL_SESSION_dup(self.pointer)
        else {
            return
        }
        // Takes a reference of its own.
        SSL_set_session(ssl, copy)
        SSL_SESSION_free(copy)
    }
}
