// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import TLSEngine

/// Whom a session belongs to: the subject of the certificate that opened it and all of its alternative names, byte for byte.
///
/// Not the certificate or its key: short-lived ones are replaced while a session lasts. Without TLS everybody is the same.
struct SessionIdentity: Sendable, Hashable {
    private let bytes: [UInt8]

    init(_ certificate: CertificateIdentity?) {
        guard let certificate else {
            bytes = []
            return
        }
        let fields = [
            [certificate.subject], certificate.commonNames, certificate.organizationalUnits, certificate.dnsNames,
            certificate.uris, certificate.emailAddresses, certificate.ipAddresses,
        ]
        bytes = fields.flatMap { field in
            Self.count(field.count) + field.flatMap { Self.count($0.utf8.count) + Array($0.utf8) }
        }
    }

    private static func count(_ count: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: count >> ($0 * 8)) }
    }
}
