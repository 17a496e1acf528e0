// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

extension TLSContext {
    /// Everything that is wrong with a configuration, for somebody who wants to mend it in one go: `init` stops at the
    /// first problem. The key log is not opened.
    public static func problems(in configuration: TLSConfiguration) -> [TLSConfigurationError] {
        guard let pointer = SSL_CTX_new(configuration.role == .server ? TLS_server_method() : TLS_client_method())
        else {
            return [TLSConfigurationError(message: "OpenSSL cannot make a context: \(OpenSSLErrors.take().text)")]
        }
        defer {
            SSL_CTX_free(pointer)
            OpenSSLErrors.clear()
        }
        var problems: [TLSConfigurationError] = []
        func attempt(_ step: () throws(TLSConfigurationError) -> Void) {
            do throws(TLSConfigurationError) {
                try step()
            } catch {
                problems.append(error)
            }
        }
        attempt { () throws(TLSConfigurationError) in try Self.check(configuration) }
        attempt { () throws(TLSConfigurationError) in try Self.setCiphers(pointer, configuration) }
        attempt { () throws(TLSConfigurationError) in _ = try Self.setGroups(pointer, configuration) }
        attempt { () throws(TLSConfigurationError) in
            var expiries: [TLSExpiry] = []
            _ = try Self.loadCredentials(pointer, configuration, &expiries)
        }
        attempt { () throws(TLSConfigurationError) in
            var expiries: [TLSExpiry] = []
            try Self.loadTrustAnchors(pointer, configuration, &expiries)
        }
        attempt { () throws(TLSConfigurationError) in _ = try Self.loadRevocationLists(pointer, configuration) }
        return problems
    }
}
