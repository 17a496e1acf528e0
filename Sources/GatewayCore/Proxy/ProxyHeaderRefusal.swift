// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Why what a connection begins with is not a header of the PROXY protocol that is believed.
public enum ProxyHeaderRefusal: String, Error, Sendable, Hashable, CaseIterable {
    /// It begins with something else, TLS for instance.
    case missing = "proxy-header-missing"
    /// It is a header of version 1, which is text.
    case text = "proxy-header-text"
    /// A version other than 2.
    case version = "proxy-header-version"
    /// A command other than LOCAL and PROXY.
    case command = "proxy-header-command"
    /// A family or transport other than TCP over IPv4, TCP over IPv6 and unspecified.
    case family = "proxy-header-family"
    /// Longer than is read, or too short for its addresses.
    case length = "proxy-header-length"
    /// What follows the addresses is not made of extensions that fill it.
    case extensions = "proxy-header-extension"
    /// The checksum is wrong.
    case checksum = "proxy-header-checksum"
    /// The connection ended inside the header.
    case cut = "proxy-header-cut"

    /// A sentence for people.
    public var message: String {
        switch self {
        case .missing:
            "the connection does not begin with a PROXY header, which this address must send (listeners: proxy.from)"
        case .text: "the PROXY header is one of version 1; let the proxy send version 2 (HAProxy: send-proxy-v2)"
        case .version: "the PROXY header is of a version that does not exist"
        case .command: "the PROXY header has a command other than LOCAL and PROXY"
        case .family: "the PROXY header speaks of something else than TCP over IPv4 or IPv6"
        case .length: "the PROXY header is too short for its addresses, or longer than \(ProxyHeader.longest) bytes"
        case .extensions: "what follows the addresses in the PROXY header is not made of extensions"
        case .checksum: "the checksum of the PROXY header is wrong"
        case .cut: "the connection ended inside the PROXY header"
        }
    }
}

extension CloseReason {
    /// The reason that a refused header is.
    public init(_ refusal: ProxyHeaderRefusal) {
        self.init(Code(rawValue: refusal.rawValue), refusal.message)
    }
}
