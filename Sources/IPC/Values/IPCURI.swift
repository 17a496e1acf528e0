// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A URI as VS Code has it: five components, none of them percent-encoded (PROTOCOL 6.3).
///
/// Two URIs are equal when their components are, byte by byte.
public struct IPCURI: Sendable {
    /// The forms of a URI that VS Code may send beside its components, since it had computed them before.
    public struct Caches: OptionSet, Sendable, Hashable {
        /// The bits of the set.
        public let rawValue: UInt8

        /// Creates a set from its bits.
        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// The member `fsPath`, the same as ``IPCURI/filePath``.
        public static let fsPath = Caches(rawValue: 1)
        /// The member `external`, the same as ``IPCURI/description``.
        public static let external = Caches(rawValue: 2)
    }

    /// What is before the first colon, such as `file`. Empty only when a peer sent none.
    public let scheme: String
    /// The host, possibly with user and port; empty where there is none.
    public let authority: String
    /// The path, with slashes on all platforms.
    public let path: String
    /// What follows the question mark; empty where there is none.
    public let query: String
    /// What follows the number sign; empty where there is none.
    public let fragment: String
    /// What to write beside the components; normally nothing. It is computed from them, never taken over from a peer, and
    /// is no part of what the URI is.
    public var writtenCaches: Caches = []

    /// Creates a URI from its components, as VS Code's `URI.from` does.
    ///
    /// - Parameters:
    ///   - scheme: Letters, digits and `_+.-`, not empty, and not starting with one of `+.-`.
    ///   - authority: The host, possibly with user and port.
    ///   - path: The path. With an authority it is empty or starts with a slash, without one it does not start with two.
    ///     For `http`, `https` and `file` a slash is put before it where it has none.
    ///   - query: What follows the question mark, without it.
    ///   - fragment: What follows the number sign, without it.
    /// - Returns: Nil for what breaks these rules, those of RFC 3986 that VS Code keeps.
    public init?(scheme: String, authority: String = "", path: String = "", query: String = "", fragment: String = "") {
        let needsSlash = ["http", "https", "file"].contains(scheme) && path.utf8.first != UInt8(ascii: "/")
        self.init(
            unresolved: scheme,
            authority: authority,
            path: needsSlash ? "/" + path : path,
            query: query,
            fragment: fragment
        )
        if scheme.isEmpty {
            return nil
        }
    }

    /// Creates a URI of a file, as VS Code's `URI.file` does on POSIX systems.
    ///
    /// - Parameter path: The path. A slash is put before it where it has none. What follows two slashes is the authority;
    ///   three and more are one, as in POSIX.
    public init(filePath path: String) {
        let bytes = Array(path.utf8)
        let slash = UInt8(ascii: "/")
        let start = bytes.firstIndex { $0 != slash } ?? bytes.endIndex
        scheme = "file"
        query = ""
        fragment = ""
        if start == 2 {
            let end = bytes[start...].firstIndex(of: slash) ?? bytes.endIndex
            authority = String(decoding: bytes[start..<end], as: UTF8.self)
            self.path = end == bytes.endIndex ? "/" : String(decoding: bytes[end...], as: UTF8.self)
        } else {
            authority = ""
            self.path = "/" + String(decoding: bytes[start...], as: UTF8.self)
        }
    }

    /// Takes components as they are, if they keep the rules; an empty scheme does.
    init?(unresolved scheme: String, authority: String, path: String, query: String, fragment: String) {
        guard Self.isValid(scheme: scheme) else { return nil }
        if authority.isEmpty {
            guard !path.utf8.starts(with: "//".utf8) else { return nil }
        } else {
            guard path.isEmpty || path.utf8.first == UInt8(ascii: "/") else { return nil }
        }
        self.scheme = scheme
        self.authority = authority
        self.path = path
        self.query = query
        self.fragment = fragment
    }

    private static func isValid(scheme: String) -> Bool {
        if let first = scheme.utf8.first, "+.-".utf8.contains(first) {
            return false
        }
        return scheme.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                true
            default:
                "_+.-".utf8.contains(byte)
            }
        }
    }

    /// The path in the file system: what VS Code's `fsPath` is on POSIX systems.
    ///
    /// Look at ``scheme`` first, this does not. A drive letter is in lower case and without a slash before it, an authority
    /// of a `file` URI follows two slashes. It may hold a U+0000, where C would end it, and `..`, as any path may.
    public var filePath: String {
        let bytes = Array(path.utf8)
        if !authority.isEmpty, bytes.count > 1, scheme == "file" {
            return "//\(authority)\(path)"
        }
        if bytes.count >= 3, bytes[0] == UInt8(ascii: "/"), bytes[2] == UInt8(ascii: ":") {
            let lower = bytes[1] | 0x20
            if (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lower) {
                return String(decoding: [lower] + bytes[2...], as: UTF8.self)
            }
        }
        return path
    }
}

extension IPCURI: Hashable {
    // Not what the compiler would write: to `String` "é" and "e\u{301}" are equal, but they are names of two files.

    /// Whether the components of two URIs are the same.
    public static func == (left: IPCURI, right: IPCURI) -> Bool {
        zip(left.components, right.components).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    /// Feeds the components into a hasher.
    public func hash(into hasher: inout Hasher) {
        for component in components {
            hasher.combine(component.utf8.count)
            for byte in component.utf8 {
                hasher.combine(byte)
            }
        }
    }

    private var components: [String] { [scheme, authority, path, query, fragment] }
}
