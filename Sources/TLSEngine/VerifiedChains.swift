// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Synchronization

/// The chains of clients that a context has verified, so that who comes again with the same certificates and without a
/// session to resume does not make it verify them again: that is an eighth of a handshake.
///
/// What is remembered holds no longer than a session could be resumed: until its lifetime, a certificate, or a revocation
/// list that was in force is over. Authorities and lists belong to the context, and so does this. The client proves each
/// time that it has the key.
final class VerifiedChains: Sendable {
    private static let maximumCount = 1024
    /// Larger ones are not remembered, so that the memory is bounded too.
    private static let largestByteCount = 8 << 10

    /// The SHA-256 of each certificate that a client has sent, one behind the other.
    typealias Key = [UInt8]

    private struct State {
        var records: [Key: (record: VerificationRecord, slot: Int)] = [:]
        var order = AgeOrder<Key>()

        mutating func remove(_ key: Key) -> VerificationRecord? {
            guard let entry = self.records.removeValue(forKey: key) else {
                return nil
            }
            _ = self.order.remove(entry.slot)
            return entry.record
        }
    }

    private let state = Mutex(State())

    var count: Int { self.state.withLock { $0.records.count } }

    /// What a chain is found by.
    ///
    /// - Parameter store: A verification that has not begun, an `X509_STORE_CTX *`.
    /// - Returns: nil when it cannot be remembered.
    static func key(of store: OpaquePointer?) -> Key? {
        guard let leaf = X509_STORE_CTX_get0_cert(store) else {
            return nil
        }
        let others = X509_STORE_CTX_get0_untrusted(store)
        var key: Key = []
        for index in -1..<max(0, copenssl_sk_X509_num(others)) {
            let certificate = index < 0 ? leaf : copenssl_sk_X509_value(others, index)
            guard let certificate, let digest = X509Certificate(retaining: certificate).fingerprint else {
                return nil
            }
            key += digest
        }
        return key
    }

    /// What was verified of a chain, if that still holds.
    func record(_ key: Key, at now: Int64) -> VerificationRecord? {
        let found = self.state.withLock { $0.records[key]?.record }
        guard let found, found.isUsable(at: now) else {
            return nil
        }
        return found
    }

    /// Remembers a chain whose owner has proved to have its key.
    func remember(_ key: Key, _ record: VerificationRecord) {
        guard record.chain.byteCount <= Self.largestByteCount else { return }
        // What was removed is freed outside of the lock.
        _ = self.state.withLock { state in
            var removed = [state.remove(key)]
            if state.records.count >= Self.maximumCount, let oldest = state.order.oldest {
                removed.append(state.remove(oldest))
            }
            state.records[key] = (record, state.order.append(key))
            return removed
        }
    }

    /// - Parameter isForgotten: Asked outside of the lock.
    func forget(where isForgotten: (VerificationRecord) -> Bool) {
        let all = self.state.withLock { state in state.records.mapValues(\.record) }
        for key in all.filter({ isForgotten($0.value) }).keys {
            _ = self.state.withLock { state in state.remove(key) }
        }
    }
}
