// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The five components of a URI in the form they are compared in: decoded, the authority in lower case.
struct URIText: Hashable {
    private var scheme: [UInt8]
    private var authority: [UInt8]
    private var path: [UInt8]
    private var query: [UInt8]
    private var fragment: [UInt8]

    /// Takes components, none of them percent-encoded.
    init(_ scheme: [UInt8], _ authority: [UInt8], _ path: [UInt8], _ query: [UInt8], _ fragment: [UInt8]) {
        self.scheme = scheme
        self.authority = Self.lowercase(authority)
        self.path = path
        self.query = query
        self.fragment = fragment
    }

    /// Takes a URI apart as RFC 3986 (appendix B) and VS Code do.
    ///
    /// - Returns: nil without a scheme, and for escapes that are broken.
    init?(_ text: [UInt8]) {
        var rest = text[...]
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
        guard !scheme.isEmpty, skip(":") else { return nil }
        let authority = skip("//") ? take(until: "/?#") : []
        let path = take(until: "?#")
        let query = skip("?") ? take(until: "#") : []
        guard let authority = Self.decoded(authority), let path = Self.decoded(path), let query = Self.decoded(query),
            let fragment = Self.decoded(rest.dropFirst())
        else { return nil }
        self.init(Array(scheme), authority, path, query, fragment)
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                output.append(high << 4 | low)
            } else {
                output.append(byte)
            }
        }
        return output
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// ASCII only; other letters have to be the same.
    private static func lowercase(_ text: [UInt8]) -> [UInt8] {
        text.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }
}
