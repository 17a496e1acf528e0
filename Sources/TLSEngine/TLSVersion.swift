// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A version of the TLS protocol. Older ones are never spoken.
public enum TLSVersion: String, Sendable, Comparable, CaseIterable {
    /// TLS 1.2 (RFC 5246).
    case tls12 = "1.2"
    /// TLS 1.3 (RFC 8446).
    case tls13 = "1.3"

    /// Older is less.
    public static func < (left: TLSVersion, right: TLSVersion) -> Bool {
        left.number < right.number
    }

    /// The number on the wire, and in OpenSSL's functions.
    var number: Int32 {
        switch self {
        case .tls12: TLS1_2_VERSION
        case .tls13: TLS1_3_VERSION
        }
    }

    init?(number: Int32) {
        guard let version = Self.allCases.first(where: { $0.number == number }) else {
            return nil
        }
        self = version
    }
}
