// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// Certificates that are refused whatever else holds: known by serial number, fingerprint or public key.
public struct DenyList: Sendable, Hashable {
    /// Serial numbers, in lower-case hexadecimal without leading zeros; of whatever authority.
    public var serials: Set<String>
    /// SHA-256 of whole certificates, in lower-case hexadecimal.
    public var fingerprints: Set<String>
    /// SHA-256 of public keys, in lower-case hexadecimal.
    public var publicKeys: Set<String>

    /// Makes a list.
    public init(serials: Set<String> = [], fingerprints: Set<String> = [], publicKeys: Set<String> = []) {
        self.serials = serials
        self.fingerprints = fingerprints
        self.publicKeys = publicKeys
    }

    /// Throws when a client's certificate is on the list; a local client has none.
    public func check(_ identity: PeerIdentity) throws(CloseReason) {
        if case .certificate(let certificate) = identity { try check(certificate) }
    }

    /// Throws when the certificate is on the list.
    public func check(_ identity: CertificateIdentity) throws(CloseReason) {
        let found: String? =
            if serials.contains(Self.serial(identity.serialNumber)) {
                "serial number \(identity.serialNumber)"
            } else if fingerprints.contains(identity.fingerprint) {
                "fingerprint"
            } else if publicKeys.contains(identity.publicKeyFingerprint) {
                "public key"
            } else {
                nil
            }
        if let found {
            throw CloseReason(.certificateDenied, "the certificate is on the deny list by its \(found)")
        }
    }

    /// A serial number as it is compared: hexadecimal, with or without `0x`, colons, capitals and leading zeros.
    ///
    /// - Returns: nil when the text is something else.
    static func parseSerial(_ text: String) -> String? {
        var digits = text.lowercased().filter { $0 != ":" }
        if digits.hasPrefix("0x") { digits.removeFirst(2) }
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        return serial(digits)
    }

    /// A SHA-256 as it is compared.
    ///
    /// - Returns: nil when the text is something else.
    static func parseHash(_ text: String) -> String? {
        let digits = text.lowercased().filter { $0 != ":" }
        return digits.count == 64 && digits.allSatisfy { $0.isASCII && $0.isHexDigit } ? digits : nil
    }

    private static func serial(_ digits: String) -> String {
        let significant = digits.drop { $0 == "0" }
        return significant.isEmpty ? "0" : String(significant)
    }
}
