// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// An absolute POSIX path without `.`, `..`, doubled and trailing slashes.
///
/// It is brought into this form by its text alone, as Node's `path.normalize` does it; links are not followed.
struct FolderPath: Sendable, Hashable {
    /// Longer paths are not looked at; no file of Linux has one (PATH_MAX).
    static let longest = 4096

    /// The path, or nothing for `/`.
    private let bytes: [UInt8]

    /// Normalises a path.
    ///
    /// - Returns: nil for a path that is relative, too long or holds a NUL, where C would end it.
    init?(_ text: [UInt8]) {
        let slash = UInt8(ascii: "/")
        guard text.first == slash, text.count <= Self.longest, !text.contains(0) else { return nil }
        var bytes: [UInt8] = []
        for part in text.split(separator: slash) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                // Above the root is the root.
                bytes.removeLast(bytes.count - (bytes.lastIndex(of: slash) ?? 0))
            } else {
                bytes.append(slash)
                bytes += part
            }
        }
        self.bytes = bytes
    }

    /// The path in its plain form.
    var text: [UInt8] { bytes.isEmpty ? [UInt8(ascii: "/")] : bytes }

    /// Whether a path is this one, or below it.
    func contains(_ other: FolderPath) -> Bool {
        other.bytes.starts(with: bytes)
            && (other.bytes.count == bytes.count || other.bytes[bytes.count] == UInt8(ascii: "/"))
    }
}
