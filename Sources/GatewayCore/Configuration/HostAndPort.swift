// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A host, and perhaps a port, as people write them: `gateway.example.org:7443`, `127.0.0.1`, `[::1]:7443`, `::1`.
public struct HostAndPort: Sendable, Equatable, CustomStringConvertible {
    /// A name or an address, without brackets.
    public var host: String
    /// The port; nil when there is none.
    public var port: UInt16?

    /// Reads the text; nil when it is none.
    public init?(_ text: String) {
        var host = Substring(text)
        var port: Substring?
        if text.hasPrefix("[") {
            guard let end = text.lastIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":"), host.contains(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":"), colon == text.lastIndex(of: ":") {
            // Of several colons none is in front of a port: it is an IPv6 address.
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        guard !host.isEmpty, !host.contains("/") else { return nil }
        self.host = String(host)
        guard let port else { return }
        guard let number = UInt16(port), number > 0, port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            return nil
        }
        self.port = number
    }

    /// The text again.
    public var description: String {
        let host = host.contains(":") && port != nil ? "[\(host)]" : host
        return port.map { "\(host):\($0)" } ?? host
    }
}
