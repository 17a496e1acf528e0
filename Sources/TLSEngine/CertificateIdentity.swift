// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Everything in a certificate that says whose it is, as plain values.
///
/// Names come in the certificate's order, all of them. A certificate with a name that could be read in more than one
/// way (NUL or another control character inside, undecodable, empty) has no identity at all: it is refused.
public struct CertificateIdentity: Sendable, Hashable, CustomStringConvertible {
    /// The subject's common names.
    public var commonNames: [String]
    /// The subject's organizational units.
    public var organizationalUnits: [String]
    /// DNS names among the alternative names, in ASCII lower case.
    public var dnsNames: [String]
    /// URIs among the alternative names.
    public var uris: [String]
    /// E-mail addresses among the alternative names.
    public var emailAddresses: [String]
    /// IP addresses among the alternative names, in canonical form (IPv6: RFC 5952).
    public var ipAddresses: [String]
    /// The SHA-256 of the certificate, in lower-case hexadecimal.
    public var fingerprint: String
    /// The SHA-256 of its public key (SubjectPublicKeyInfo), in lower-case hexadecimal.
    public var publicKeyFingerprint: String
    /// The serial number, in lower-case hexadecimal, two digits a byte.
    public var serialNumber: String
    /// The subject, readable: `CN=alice,OU=dev`.
    public var subject: String
    /// The issuer, readable.
    public var issuer: String
    /// Valid from, in Unix seconds.
    public var notBefore: Int64
    /// Valid until and including, in Unix seconds.
    public var notAfter: Int64

    /// An identity put together by hand, as tests need it; what is not given is empty.
    public init(
        commonNames: [String] = [],
        organizationalUnits: [String] = [],
        dnsNames: [String] = [],
        uris: [String] = [],
        emailAddresses: [String] = [],
        ipAddresses: [String] = [],
        fingerprint: String = "",
        publicKeyFingerprint: String = "",
        serialNumber: String = "",
        subject: String = "",
        issuer: String = "",
        notBefore: Int64 = .min,
        notAfter: Int64 = .max
    ) {
        self.commonNames = commonNames
        self.organizationalUnits = organizationalUnits
        self.dnsNames = dnsNames
        self.uris = uris
        self.emailAddresses = emailAddresses
        self.ipAddresses = ipAddresses
        self.fingerprint = fingerprint
        self.publicKeyFingerprint = publicKeyFingerprint
        self.serialNumber = serialNumber
        self.subject = subject
        self.issuer = issuer
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    /// Whether the certificate's period includes a time, in Unix seconds.
    public func isValid(at unixSeconds: Int64) -> Bool {
        unixSeconds >= self.notBefore && unixSeconds <= self.notAfter
    }

    /// The subject, its issuer and the beginning of the fingerprint.
    public var description: String {
        "\(self.subject), issued by \(self.issuer), fingerprint \(self.fingerprint.prefix(16))"
    }
}
