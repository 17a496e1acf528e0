// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What OpenSSL left in the thread's error queue, the oldest first. Taking it empties the queue.
struct OpenSSLErrors {
    struct Entry {
        let library: Int32
        let reason: Int32
        let text: String
    }

    let entries: [Entry]

    static func take() -> OpenSSLErrors {
        var entries: [Entry] = []
        while true {
            let packed = ERR_get_error()
            guard packed != 0 else {
                return OpenSSLErrors(entries: entries)
            }
            let reason = ERR_GET_REASON(packed)
            let text = ERR_reason_error_string(packed).map { String(cString: $0) } ?? "error \(reason)"
            entries.append(Entry(library: ERR_GET_LIB(packed), reason: reason, text: text))
        }
    }

    static func clear() {
        // To look is cheaper than to clear sixteen places that are empty most often.
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    /// The reason of the first error: what went wrong at the bottom.
    var text: String { self.entries.first?.text ?? "no reason given" }

    var tlsReasons: [Int32] { self.entries.filter { $0.library == ERR_LIB_SSL }.map(\.reason) }

    func contains(library: Int32, reason: Int32? = nil) -> Bool {
        self.entries.contains { $0.library == library && (reason == nil || $0.reason == reason) }
    }
}
