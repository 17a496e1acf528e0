// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// A field of a certificate that can name a client.
public enum IdentityField: String, Sendable, CaseIterable {
    /// URI alternative names, such as SPIFFE ids.
    case uri
    /// DNS alternative names, in lower case.
    case dns
    /// E-mail alternative names.
    case email
    /// IP alternative names.
    case ip
    /// Common names of the subject.
    case commonName
    /// Organisational units of the subject.
    case organizationalUnit
    /// SHA-256 of the whole certificate, in lower-case hexadecimal.
    case fingerprint
    /// SHA-256 of the public key, in lower-case hexadecimal.
    case publicKey

    /// All values of the field in a certificate, in its order.
    public func values(in identity: CertificateIdentity) -> [String] {
        switch self {
        case .uri: identity.uris
        case .dns: identity.dnsNames
        case .email: identity.emailAddresses
        case .ip: identity.ipAddresses
        case .commonName: identity.commonNames
        case .organizationalUnit: identity.organizationalUnits
        case .fingerprint: [identity.fingerprint]
        case .publicKey: [identity.publicKeyFingerprint]
        }
    }

    /// What `*` in a pattern for this field does not cross.
    var separator: UInt8? {
        switch self {
        case .uri: UInt8(ascii: "/")
        case .dns: UInt8(ascii: ".")
        case .email: UInt8(ascii: "@")
        case .ip, .commonName, .organizationalUnit, .fingerprint, .publicKey: nil
        }
    }

    /// Compiles a pattern for values of this field, in the spelling that certificates are read in.
    func pattern(_ text: String) -> Glob? {
        switch self {
        case .dns: Glob(text.lowercased(), separator: separator)
        case .fingerprint, .publicKey: Glob(Self.normalisedHash(text))
        default: Glob(text, separator: separator)
        }
    }

    /// `AA:BB:…` as other programs print it, in the spelling used here.
    private static func normalisedHash(_ text: String) -> String {
        String(text.lowercased().filter { $0 != ":" })
    }
}
