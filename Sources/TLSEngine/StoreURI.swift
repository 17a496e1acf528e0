// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A place that OpenSSL's stores know: a `file:` or `pkcs11:` URI, or another scheme that a provider brings.
struct StoreURI {
    private let text: String
    private let scheme: String

    /// - Returns: nil for a plain path.
    init?(_ text: String) {
        guard let scheme = Self.scheme(of: text), scheme == "file" || scheme == "pkcs11" || Self.isKnown(scheme) else {
            return nil
        }
        self.text = text
        self.scheme = scheme
    }

    /// The path of a `file:` URI.
    var path: String? {
        guard self.scheme == "file" else {
            return nil
        }
        let rest = self.text.dropFirst("file:".count)
        for beginning in ["//localhost/", "///"] where rest.hasPrefix(beginning) {
            return "/" + rest.dropFirst(beginning.count)
        }
        return String(rest)
    }

    /// The URI for messages: one of PKCS #11 may hold the PIN.
    var description: String {
        self.text.split(separator: ";", omittingEmptySubsequences: false).map { part in
            guard let value = part.range(ofASCII: "pin-value=") else {
                return String(part)
            }
            return part[..<value.upperBound] + "…"
        }.joined(separator: ";")
    }

    func certificates() throws(TLSConfigurationError) -> [X509Certificate] {
        try self.all("certificate", type: OSSL_STORE_INFO_CERT, PassphraseRequest(nil)) {
            OSSL_STORE_INFO_get1_CERT($0).map(X509Certificate.init(owning:))
        }
    }

    func revocationLists() throws(TLSConfigurationError) -> [RevocationList] {
        try self.all("revocation list", type: OSSL_STORE_INFO_CRL, PassphraseRequest(nil)) {
            OSSL_STORE_INFO_get1_CRL($0).map(RevocationList.init(owning:))
        }
    }

    /// - Parameter passphrase: The passphrase of an encrypted key, or the PIN of a token.
    func privateKey(_ passphrase: Passphrase?) throws(TLSConfigurationError) -> PrivateKey {
        try self.all("private key", type: OSSL_STORE_INFO_PKEY, PassphraseRequest(passphrase)) {
            OSSL_STORE_INFO_get1_PKEY($0).map(PrivateKey.init(owning:))
        }[0]
    }

    // MARK: Loading

    /// - Returns: At least one.
    private func all<Object>(
        _ what: String,
        type: Int32,
        _ request: PassphraseRequest,
        _ object: (OpaquePointer) -> Object?
    ) throws(TLSConfigurationError) -> [Object] {
        guard Self.isKnown(self.scheme) else {
            throw self.error(self.missingStore)
        }
        OpenSSLErrors.clear()
        defer { OpenSSLErrors.clear() }
        var objects: [Object] = []
        let isComplete = request.lend { callback, argument in
            self.load(type: type, callback, argument) { info in
                if let object = object(info) {
                    objects.append(object)
                }
            }
        }
        let errors = OpenSSLErrors.take()
        if let failure = request.failure(errors), objects.isEmpty {
            throw self.error(failure)
        }
        let isKey = type == OSSL_STORE_INFO_PKEY
        guard isComplete || isKey && !objects.isEmpty else {
            let number = isKey ? "" : " number \(objects.count + 1)"
            throw self.error("no \(what)\(number) can be read: \(errors.text)")
        }
        guard !objects.isEmpty else {
            throw self.error("holds no \(what)")
        }
        return objects
    }

    /// - Returns: Whether the store was read to its end.
    private func load(
        type: Int32,
        _ callback: PassphraseRequest.Callback,
        _ argument: UnsafeMutableRawPointer,
        _ body: (OpaquePointer) -> Void
    ) -> Bool {
        // Without a method of ours OpenSSL would prompt on the terminal.
        guard let method = UI_UTIL_wrap_read_pem_callback(callback, 0) else {
            return false
        }
        defer { UI_destroy_method(method) }
        guard let store = OSSL_STORE_open_ex(self.text, nil, nil, method, argument, nil, nil, nil) else {
            return false
        }
        defer { OSSL_STORE_close(store) }
        // In a file what is not expected looks as if it were damaged; without expectations only what is damaged does.
        let isFiltered = type == OSSL_STORE_INFO_PKEY || self.scheme != "file"
        if isFiltered, OSSL_STORE_expect(store, type) != 1 {
            return false
        }
        while OSSL_STORE_eof(store) == 0 {
            if let info = OSSL_STORE_load(store) {
                body(info)
                OSSL_STORE_INFO_free(info)
            } else if OSSL_STORE_eof(store) == 0 {
                // The end is an error too, but one without a reason.
                return false
            }
        }
        return true
    }

    private func error(_ message: String) -> TLSConfigurationError {
        TLSConfigurationError(file: self.description, message: message)
    }

    private var missingStore: String {
        if self.scheme == "pkcs11" {
            return "OpenSSL has no provider for PKCS #11; install one (pkcs11-provider), and name it and the token's "
                + "module in OpenSSL's configuration file (openssl.cnf, or the one that OPENSSL_CONF names)"
        }
        return "OpenSSL has no store for \"\(self.scheme):\""
    }

    // MARK: Schemes

    private static func scheme(of text: String) -> String? {
        guard let end = text.utf8.firstIndex(of: UInt8(ascii: ":")), !text.utf8.contains(0) else {
            return nil
        }
        let scheme = text[..<end]
        let isScheme = scheme.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return isScheme && scheme.utf8.count > 1 ? scheme.lowercased() : nil
    }

    private static func isKnown(_ scheme: String) -> Bool {
        defer { OpenSSLErrors.clear() }
        guard let loader = OSSL_STORE_LOADER_fetch(nil, scheme, nil) else {
            return false
        }
        OSSL_STORE_LOADER_free(loader)
        return true
    }
}

extension Substring {
    /// Where an ASCII text is, whatever characters its neighbours would make together with it.
    fileprivate func range(ofASCII text: String) -> Range<Index>? {
        var start = self.startIndex
        while start < self.endIndex {
            if self.utf8[start...].starts(with: text.utf8) {
                return start..<self.utf8.index(start, offsetBy: text.utf8.count)
            }
            self.utf8.formIndex(after: &start)
        }
        return nil
    }
}
