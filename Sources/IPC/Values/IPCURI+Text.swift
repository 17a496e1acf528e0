// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension IPCURI {
    /// Reads a URI, as VS Code's `URI.parse` does when it is told to be strict: without a scheme there is no URI.
    ///
    /// Components are percent-decoded; escapes that are not UTF-8 stay as they are.
    ///
    /// - Parameter text: Such as `https://example.org/a%20b?q#f`.
    /// - Returns: Nil when there is no valid scheme, or there is no authority and the path starts with two slashes.
    public init?(_ text: String) {
        var rest = Array(text.utf8)[...]
        func take(until ends: String) -> ArraySlice<UInt8> {
            let part = rest.prefix { !ends.utf8.contains($0) }
            rest = rest.dropFirst(part.count)
            return part
        }
        func skip(_ prefix: String) -> Bool {
            guard rest.starts(with: prefix.utf8) else { return false }
            rest = rest.dropFirst(prefix.utf8.count)
            return true
        }
        let scheme = take(until: ":/?#")
        guard skip(":") else { return nil }
        let authority = skip("//") ? take(until: "/?#") : []
        let path = take(until: "?#")
        let query = skip("?") ? take(until: "#") : []
        self.init(
            scheme: String(decoding: scheme, as: UTF8.self),
            authority: PercentCoding.decode(authority),
            path: PercentCoding.decode(path),
            query: PercentCoding.decode(query),
            fragment: PercentCoding.decode(rest.dropFirst())
        )
    }
}

extension IPCURI: CustomStringConvertible {
    /// The URI as text, as VS Code's `toString()` writes it: everything percent-encoded but letters, digits, `-._~` and
    /// what separates; the host and a drive letter in lower case.
    ///
    /// Unlike VS Code it encodes the port too, where that is not one, lest an authority pass for a path.
    public var description: String {
        var output = scheme.isEmpty ? "" : scheme + ":"
        if !authority.isEmpty || scheme == "file" {
            output += "//"
        }
        output += encodedAuthority
        output += PercentCoding.encode(pathWithLowerCaseDrive, as: .path)
        if !query.isEmpty {
            output += "?" + PercentCoding.encode(query.utf8, as: .other)
        }
        if !fragment.isEmpty {
            output += "#" + PercentCoding.encode(fragment.utf8, as: .other)
        }
        return output
    }

    private var encodedAuthority: String {
        let bytes = Array(authority.utf8)
        guard let at = bytes.firstIndex(of: UInt8(ascii: "@")) else {
            return PercentCoding.encode(authority.lowercased().utf8, as: .authority)
        }
        let host = String(decoding: bytes[(at + 1)...], as: UTF8.self)
        let user = bytes[..<at]
        var output: String
        if let colon = user.lastIndex(of: UInt8(ascii: ":")) {
            output = PercentCoding.encode(user[..<colon], as: .other) + ":"
            output += PercentCoding.encode(user[(colon + 1)...], as: .authority)
        } else {
            output = PercentCoding.encode(user, as: .other)
        }
        return output + "@" + PercentCoding.encode(host.lowercased().utf8, as: .authority)
    }

    private var pathWithLowerCaseDrive: [UInt8] {
        var bytes = Array(path.utf8)
        let drive = bytes.first == UInt8(ascii: "/") ? 1 : 0
        if bytes.count >= drive + 2, bytes[drive + 1] == UInt8(ascii: ":"),
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(bytes[drive])
        {
            bytes[drive] |= 0x20
        }
        return bytes
    }
}
