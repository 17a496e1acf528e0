// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A regular expression of JavaScript, as VS Code's proxies revive one: `{"$mid":2,"source":…,"flags":…}` (PROTOCOL 6.3).
///
/// A `RegExp` itself does not survive VS Code's IPC, it arrives as `{}`; only such an object does. Whether the source is a
/// valid expression only JavaScript knows: a bad one fails the call on the other side with a `SyntaxError`.
public struct IPCRegExp: Sendable, Hashable {
    /// The expression, without slashes around it.
    public let source: String
    /// The flags, such as `gi`.
    public let flags: String

    /// Creates a regular expression.
    ///
    /// - Parameters:
    ///   - source: The expression, without slashes around it.
    ///   - flags: Each of `dgimsuvy` at most once, `u` and `v` not both. Nil is returned for others, of which JavaScript
    ///     would make a `SyntaxError`.
    public init?(source: String, flags: String = "") {
        guard Self.areValid(flags) else { return nil }
        self.source = source
        self.flags = flags
    }

    private static func areValid(_ flags: String) -> Bool {
        let units = Array(flags.utf8)
        let unique = Set(units)
        return unique.count == units.count && unique.isSubset(of: "dgimsuvy".utf8)
            && !(unique.contains(UInt8(ascii: "u")) && unique.contains(UInt8(ascii: "v")))
    }
}

extension IPCRegExp: Codable {
    private enum CodingKeys: String, CodingKey {
        case mid = "$mid"
        case source, flags
    }

    /// Reads the marker.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` unless `$mid` is 2, `source` a string, and `flags` valid or absent.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard try container.decode(Int64.self, forKey: .mid) == IPCMarker.regExp else {
            throw DecodingError.dataCorruptedError(
                forKey: .mid,
                in: container,
                debugDescription: "Not a RegExp's $mid, 2."
            )
        }
        let flags = try container.decodeIfPresent(String.self, forKey: .flags) ?? ""
        guard Self.areValid(flags) else {
            throw DecodingError.dataCorruptedError(
                forKey: .flags,
                in: container,
                debugDescription: "JavaScript has no such flags."
            )
        }
        self.flags = flags
        source = try container.decode(String.self, forKey: .source)
    }

    /// Writes the marker.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(IPCMarker.regExp, forKey: .mid)
        try container.encode(source, forKey: .source)
        try container.encode(flags, forKey: .flags)
    }
}
