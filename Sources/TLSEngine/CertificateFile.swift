// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Reads certificates and keys from PEM files, or from what a `StoreURI` names, and says what is wrong with them.
enum CertificateFile {
    /// More than any bundle of authorities needs.
    private static let largestFile = 16 * 1024 * 1024

    static func read(_ path: String) throws(TLSConfigurationError) -> [UInt8] {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        guard !path.utf8.contains(0), let file = BIO_new_file(path, "rb") else {
            throw TLSConfigurationError(file: path, message: "cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { BIO_free(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = BIO_read(file, &piece, Int32(piece.count))
            guard count >= 0 else {
                throw TLSConfigurationError(file: path, message: "cannot be read; is it a file?")
            }
            guard count > 0 else {
                return bytes
            }
            bytes += piece[..<Int(count)]
            guard bytes.count <= Self.largestFile else {
                throw TLSConfigurationError(file: path, message: "is larger than 16 MiB, which no PEM file needs")
            }
        }
    }

    /// All certificates of a PEM file, at least one.
    static func certificates(_ path: String) throws(TLSConfigurationError) -> [X509Certificate] {
        if let uri = StoreURI(path) {
            return try uri.certificates()
        }
        return try Self.all(path, what: "certificate", label: "CERTIFICATE") { bio in
            PEM_read_bio_X509(bio, nil, refusePassphrase, nil).map(X509Certificate.init(owning:))
        }
    }

    /// All revocation lists of a PEM file, at least one.
    static func revocationLists(_ path: String) throws(TLSConfigurationError) -> [RevocationList] {
        if let uri = StoreURI(path) {
            return try uri.revocationLists()
        }
        return try Self.all(path, what: "revocation list", label: "X509 CRL") { bio in
            PEM_read_bio_X509_CRL(bio, nil, refusePassphrase, nil).map(RevocationList.init(owning:))
        }
    }

    private static func all<Object>(
        _ path: String,
        what: String,
        label: String,
        next: (OpaquePointer?) -> Object?
    ) throws(TLSConfigurationError) -> [Object] {
        let bytes = try Self.read(path)
        var objects: [Object] = []
        let failure = Self.withBIO(bytes) { bio -> String? in
            while let object = next(bio) {
                objects.append(object)
            }
            let errors = OpenSSLErrors.take()
            return errors.contains(library: ERR_LIB_PEM, reason: PEM_R_NO_START_LINE) ? nil : errors.text
        }
        if let failure {
            let message = "\(what) number \(objects.count + 1) in the file is damaged: \(failure)"
            throw TLSConfigurationError(file: path, message: message)
        }
        guard !objects.isEmpty else {
            let found = bytes.isEmpty ? "is empty" : "holds no \(what)"
            let message = "\(found); it must hold PEM text (-----BEGIN \(label)-----)"
            throw TLSConfigurationError(file: path, message: message)
        }
        return objects
    }

    /// The first certificate of a file, PEM or DER.
    static func firstCertificate(_ path: String) throws(TLSConfigurationError) -> X509Certificate {
        if let uri = StoreURI(path) {
            return try uri.certificates()[0]
        }
        let bytes = try Self.read(path)
        // A DER certificate is a SEQUENCE with a two-byte length.
        if bytes.starts(with: [0x30, 0x82]) {
            let certificate = Self.withBIO(bytes) { d2i_X509_bio($0, nil).map(X509Certificate.init(owning:)) }
            guard let certificate else {
                throw TLSConfigurationError(file: path, message: "is not a readable DER certificate")
            }
            return certificate
        }
        let all = try Self.certificates(path)
        return all[0]
    }

    /// The private key of a PEM file.
    ///
    /// - Parameter passphrase: Used when the key is encrypted.
    static func privateKey(_ path: String, _ passphrase: Passphrase?) throws(TLSConfigurationError) -> PrivateKey {
        if let uri = StoreURI(path) {
            return try uri.privateKey(passphrase)
        }
        let secret = try SecretFile(path, largest: Self.largestFile)
        let request = PassphraseRequest(passphrase)
        let (key, failure) = withExtendedLifetime(secret) {
            Self.withBIO(secret.bytes) { bio in
                let key = request.lend { PEM_read_bio_PrivateKey(bio, nil, $0, $1) }
                return (key, key == nil ? request.failure(OpenSSLErrors.take()) : nil)
            }
        }
        if let key {
            return PrivateKey(owning: key)
        }
        if let failure {
            throw TLSConfigurationError(file: path, message: failure)
        }
        let found = secret.bytes.isEmpty ? "is empty" : "holds no readable private key"
        let message = "\(found); it must hold one in PEM form (-----BEGIN PRIVATE KEY-----)"
        throw TLSConfigurationError(file: path, message: message)
    }

    /// The queue is empty afterwards.
    private static func withBIO<R>(_ bytes: [UInt8], _ body: (OpaquePointer?) -> R) -> R {
        bytes.withUnsafeBytes { withBIO($0, body) }
    }

    private static func withBIO<R>(_ buffer: UnsafeRawBufferPointer, _ body: (OpaquePointer?) -> R) -> R {
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        // An empty memory BIO can only be made in the other way.
        let bio = buffer.isEmpty ? BIO_new(BIO_s_mem()) : BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count))
        defer { BIO_free(bio) }
        return body(bio)
    }
}

/// Owns one reference of an `EVP_PKEY *`.
final class PrivateKey {
    let pointer: OpaquePointer

    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        EVP_PKEY_free(self.pointer)
    }
}

/// Owns one reference of an `X509_CRL *`.
final class RevocationList {
    let pointer: OpaquePointer
    /// When the list ends, in Unix seconds; nil when it does not say.
    let nextUpdate: Int64?

    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
        self.nextUpdate = X509Certificate.unixSeconds(X509_CRL_get0_nextUpdate(pointer))
    }

    deinit {
        X509_CRL_free(self.pointer)
    }
}

/// Without a callback OpenSSL would prompt on the terminal.
private func refusePassphrase(
    buffer: UnsafeMutablePointer<CChar>?,
    size: Int32,
    isWriting: Int32,
    context: UnsafeMutableRawPointer?
) -> Int32 {
    -1
}
