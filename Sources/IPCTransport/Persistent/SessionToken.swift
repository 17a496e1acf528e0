// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import TLSEngine

/// What names a session, and proves that it is one's own: `<name of the listener>.<64 bits><128 bits>`, random, in
/// hexadecimal. The 64 bits find the session, the rest is compared in constant time.
struct SessionToken: Sendable {
    /// What finds a session.
    struct Key: Sendable, Hashable {
        fileprivate var bytes: [UInt8]
    }

    private static let keyDigits = 16
    private static let digits = 48

    /// What finds the session.
    let key: Key
    /// As it is sent.
    let text: String

    /// Makes one by chance.
    init(of listener: String) {
        let random = Self.random(words: Self.digits / 16)
        text = "\(listener).\(random)"
        key = Key(bytes: Array(random.utf8.prefix(Self.keyDigits)))
    }

    /// A name for a listener.
    static func randomName() -> String { random(words: 1) }

    /// What finds the session of a token that a client has sent; nil when it cannot be one.
    static func key(of text: String) -> Key? {
        guard let dot = text.utf8.lastIndex(of: UInt8(ascii: ".")) else { return nil }
        let random = text.utf8[text.utf8.index(after: dot)...]
        return random.count == digits ? Key(bytes: Array(random.prefix(keyDigits))) : nil
    }

    /// Whether a client's token is this one. How long it takes tells nothing about where they differ.
    func matches(_ other: String) -> Bool {
        let (mine, theirs) = (Array(text.utf8), Array(other.utf8))
        guard mine.count == theirs.count else { return false }
        return zip(mine, theirs).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func random(words: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<words).map { _ in
            let digits = String(UInt64.random(in: 0...UInt64.max, using: &generator), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }
}

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
