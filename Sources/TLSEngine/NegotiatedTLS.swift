// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What the two ends of a connection agreed upon.
public struct NegotiatedTLS: Sendable, Hashable {
    /// The protocol version.
    public var version: TLSVersion
    /// The cipher suite, by OpenSSL's name.
    public var cipher: String
    /// The key exchange group, spelled as in `TLSConfiguration.groups`.
    public var group: String?
    /// The application protocol, if any was negotiated.
    public var applicationProtocol: String?

    /// What was agreed upon.
    public init(version: TLSVersion, cipher: String, group: String? = nil, applicationProtocol: String? = nil) {
        self.version = version
        self.cipher = cipher
        self.group = group
        self.applicationProtocol = applicationProtocol
    }
}
