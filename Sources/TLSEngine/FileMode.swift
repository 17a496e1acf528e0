// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// Who may read a file.
enum FileMode {
    /// - Parameter what: What the file holds.
    /// - Returns: A note for the log when others than the owner may read or write the file, with what to do about it.
    static func note(_ path: String, _ what: String) -> String? {
        var status = stat()
        guard !path.utf8.contains(0), stat(path, &status) == 0, status.st_mode & 0o066 != 0 else {
            return nil
        }
        return "\(path): others than its owner can read or write \(what) (mode \(Self.text(status.st_mode))); "
            + "chmod 600 \(path)"
    }

    /// Four octal digits.
    static func text(_ mode: mode_t) -> String {
        let digits = String(mode & 0o7777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
