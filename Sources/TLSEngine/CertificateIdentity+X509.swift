// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension CertificateIdentity {
    /// Reads the identity of the first certificate in a file, PEM or DER.
    ///
    /// Its signature, issuer and period are not judged.
    public static func load(certificateFile: String) throws(TLSConfigurationError) -> CertificateIdentity {
        let certificate = try CertificateFile.firstCertificate(certificateFile)
        do {
            return try CertificateIdentity(certificate)
        } catch {
            throw TLSConfigurationError(file: certificateFile, message: error.message)
        }
    }

    /// - Throws: `.badCertificate`, naming the field that cannot be trusted.
    init(_ certificate: X509Certificate) throws(TLSError) {
        defer { OpenSSLErrors.clear() }
        let x509 = certificate.pointer
        let subject = X509_get_subject_name(x509)
        guard let fingerprint = certificate.fingerprint, let keyFingerprint = certificate.publicKeyFingerprint,
            let notBefore = X509Certificate.unixSeconds(X509_get0_notBefore(x509)),
            let notAfter = X509Certificate.unixSeconds(X509_get0_notAfter(x509))
        else {
            throw TLSError(code: .badCertificate, message: "the certificate's key or period cannot be read")
        }
        self.init(
            commonNames: try Self.values(NID_commonName, "common name", in: subject),
            organizationalUnits: try Self.values(NID_organizationalUnitName, "organizational unit", in: subject),
            fingerprint: Hexadecimal.encode(fingerprint),
            publicKeyFingerprint: Hexadecimal.encode(keyFingerprint),
            serialNumber: certificate.serialNumber,
            subject: X509Certificate.text(of: subject),
            issuer: X509Certificate.text(of: X509_get_issuer_name(x509)),
            notBefore: notBefore,
            notAfter: notAfter
        )
        try self.readAlternativeNames(x509)
    }

    // MARK: Subject

    private static func values(
        _ field: Int32,
        _ fieldName: String,
        in name: OpaquePointer?
    ) throws(TLSError) -> [String] {
        var values: [String] = []
        var index = X509_NAME_get_index_by_NID(name, field, -1)
        while index >= 0 {
            let data = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index))
            let kind = CertificateText.Kind(asn1Type: ASN1_STRING_type(data))
            values.append(try CertificateText.decode(X509Certificate.bytes(of: data), as: kind, field: fieldName))
            index = X509_NAME_get_index_by_NID(name, field, index)
        }
        return values
    }

    // MARK: Alternative names

    private mutating func readAlternativeNames(_ x509: OpaquePointer) throws(TLSError) {
        var presence: Int32 = 0
        guard let decoded = X509_get_ext_d2i(x509, NID_subject_alt_name, &presence, nil) else {
            guard presence == -1 else {
                let message = "the subject alternative names cannot be read, or are there twice"
                throw TLSError(code: .badCertificate, message: message)
            }
            return
        }
        let names = OpaquePointer(decoded)
        defer { GENERAL_NAMES_free(names) }
        for index in 0..<copenssl_sk_GENERAL_NAME_num(names) {
            try self.add(copenssl_sk_GENERAL_NAME_value(names, index))
        }
    }

    private mutating func add(_ name: UnsafePointer<GENERAL_NAME>?) throws(TLSError) {
        var type: Int32 = 0
        guard let value = GENERAL_NAME_get0_value(name, &type) else {
            throw TLSError(code: .badCertificate, message: "a subject alternative name is empty")
        }
        // Other types (directory names, registered ids, …) name nobody here and are passed over.
        guard [GEN_DNS, GEN_URI, GEN_EMAIL, GEN_IPADD].contains(type) else {
            return
        }
        let bytes = X509Certificate.bytes(of: value.assumingMemoryBound(to: ASN1_STRING.self))
        switch type {
        case GEN_DNS:
            let text = try CertificateText.decode(bytes, as: .asciiWithoutSpace, field: "alternative DNS name")
            self.dnsNames.append(CertificateText.asciiLowercased(text))
        case GEN_URI:
            self.uris.append(try CertificateText.decode(bytes, as: .asciiWithoutSpace, field: "alternative URI"))
        case GEN_EMAIL:
            let text = try CertificateText.decode(bytes, as: .asciiWithoutSpace, field: "alternative e-mail address")
            self.emailAddresses.append(text)
        default:
            guard let text = IPAddressText.format(bytes) else {
                let message = "the certificate's alternative IP address has \(bytes.count) bytes instead of 4 or 16"
                throw TLSError(code: .badCertificate, message: message)
            }
            self.ipAddresses.append(text)
        }
    }
}

extension CertificateText.Kind {
    /// Other string types (Teletex above all) have no agreed meaning outside of ASCII.
    fileprivate init?(asn1Type: Int32) {
        switch asn1Type {
        case V_ASN1_UTF8STRING: self = .utf8
        case V_ASN1_PRINTABLESTRING, V_ASN1_IA5STRING, V_ASN1_VISIBLESTRING, V_ASN1_NUMERICSTRING: self = .ascii
        case V_ASN1_BMPSTRING: self = .utf16BigEndian
        case V_ASN1_UNIVERSALSTRING: self = .utf32BigEndian
        default: return nil
        }
    }
}
