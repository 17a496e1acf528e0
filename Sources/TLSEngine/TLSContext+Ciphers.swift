// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSContext {
    private static let knownCipherSuites: Set<String> = [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
        "TLS_AES_128_CCM_8_SHA256",
    ]

    static func setCiphers(
        _ pointer: OpaquePointer,
        _ configuration: TLSConfiguration
    ) throws(TLSConfigurationError) {
        let minimum = configuration.minimumVersion.number
        guard copenssl_SSL_CTX_set_version_range(pointer, minimum, configuration.maximumVersion.number) == 1 else {
            let message = "this OpenSSL cannot speak TLS \(configuration.minimumVersion.rawValue)"
            throw TLSConfigurationError(message: message)
        }
        // Some versions of OpenSSL pass over unknown names silently.
        if let unknown = configuration.cipherSuites.first(where: { !Self.knownCipherSuites.contains($0) }) {
            let known = Self.knownCipherSuites.sorted().joined(separator: ", ")
            throw TLSConfigurationError(message: "cipher suite \"\(unknown)\" is not one of TLS 1.3's: \(known)")
        }
        let suites = configuration.cipherSuites.joined(separator: ":")
        guard !suites.isEmpty, SSL_CTX_set_ciphersuites(pointer, suites) == 1 else {
            throw TLSConfigurationError(message: "no usable TLS 1.3 cipher suite in \"\(suites)\"")
        }
        guard SSL_CTX_set_cipher_list(pointer, configuration.cipherList) == 1 else {
            let message = "no usable TLS 1.2 cipher in \"\(configuration.cipherList)\"; see `openssl ciphers`"
            throw TLSConfigurationError(message: message)
        }
    }

    /// One name the library does not know would fail the whole list (OpenSSL 3.0), and which it knows is only seen at
    /// run time; so each is tried alone first.
    ///
    /// - Returns: A note for each name left out.
    static func setGroups(
        _ pointer: OpaquePointer,
        _ configuration: TLSConfiguration
    ) throws(TLSConfigurationError) -> [String] {
        let names = configuration.groups
        var known: [String] = []
        var notes: [String] = []
        for name in names {
            // Newer libraries give a meaning to punctuation in this list.
            guard name.utf8.first.map(Self.isLetterOrDigit) == true,
                name.utf8.allSatisfy({ Self.isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") })
            else {
                throw TLSConfigurationError(message: "\"\(name)\" is not the name of a key exchange group")
            }
            if copenssl_SSL_CTX_set1_groups_list(pointer, name) == 1 {
                known.append(name)
            } else {
                notes.append("group \(name) is not known to \(Self.shortLibraryVersion) and is not offered")
            }
        }
        guard !known.isEmpty, copenssl_SSL_CTX_set1_groups_list(pointer, known.joined(separator: ":")) == 1 else {
            let list = names.joined(separator: ", ")
            let message = "\(Self.shortLibraryVersion) knows none of the key exchange groups: \(list)"
            throw TLSConfigurationError(message: message)
        }
        if configuration.role == .client {
            self.offerTwoKeyShares(pointer, known)
        }
        OpenSSLErrors.clear()
        return notes
    }

    /// A client sends a key for its first group only. When that is a hybrid one, which older servers do not have, a key
    /// for the next group saves a round trip with them. `*` asks for it, in the libraries that have hybrid groups.
    private static func offerTwoKeyShares(_ pointer: OpaquePointer, _ names: [String]) {
        guard names.count > 1, names[0].uppercased().hasSuffix("MLKEM768") else {
            return
        }
        // Refused by a library without this notation, the list set before stays.
        let marked = ["*" + names[0], "*" + names[1]] + names[2...]
        _ = copenssl_SSL_CTX_set1_groups_list(pointer, marked.joined(separator: ":"))
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// Without the release date: `OpenSSL 3.0.19`.
    private static var shortLibraryVersion: String {
        Self.libraryVersion.split(separator: " ").prefix(2).joined(separator: " ")
    }
}
