// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// A field that can name a client: of a certificate, or of what the kernel says of a local process.
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
    /// The absolute path of the program that a local client runs.
    case executable
    /// The effective user id of a local client, in decimal.
    case uid
    /// The group ids of a local client, in decimal: the effective one and all supplementary ones.
    case gid

    /// What a field says something about.
    public enum Source: Sendable, Hashable {
        /// The certificate of a client.
        case certificate
        /// The process at the other end of a Unix socket.
        case local
    }

    /// What the field says something about.
    public var source: Source {
        switch self {
        case .uri, .dns, .email, .ip, .commonName, .organizationalUnit, .fingerprint, .publicKey: .certificate
        case .executable, .uid, .gid: .local
        }
    }

    /// The fields of certificates.
    public static let ofCertificates = allCases.filter { $0.source == .certificate }
    /// The fields of local clients, in the order in which they are judged: the closest description first.
    public static let ofLocalClients = allCases.filter { $0.source == .local }

    /// All values of the field in what proves a client's identity, in its order; none when the field is of the other kind.
    public func values(in identity: PeerIdentity) -> [String] {
        switch identity {
        case .certificate(let certificate): values(in: certificate)
        case .local(let peer): values(in: peer)
        }
    }

    private func values(in peer: LocalPeer) -> [String] {
        switch self {
        case .uid:
            return ["\(peer.userID)"]
        case .gid:
            return peer.groupIDs.map { "\($0)" }
        case .executable:
            if case .path(let path) = peer.executable { return [path] }
            return []
        case .uri, .dns, .email, .ip, .commonName, .organizationalUnit, .fingerprint, .publicKey:
            return []
        }
    }

    /// All values of the field in a certificate, in its order; none for fields of local clients.
    public func values(in identity: CertificateIdentity) -> [String] {
        switch self {
        case .executable, .uid, .gid: []
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

    /// `the certificate's uri`, `the local client's uid`.
    var phrase: String {
        switch source {
        case .certificate: "the certificate's \(rawValue)"
        case .local: "the local client's \(rawValue)"
        }
    }

    /// What `*` in a pattern for this field does not cross.
    var separator: UInt8? {
        switch self {
        case .uri, .executable: UInt8(ascii: "/")
        case .dns: UInt8(ascii: ".")
        case .email: UInt8(ascii: "@")
        case .ip, .commonName, .organizationalUnit, .fingerprint, .publicKey, .uid, .gid: nil
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
