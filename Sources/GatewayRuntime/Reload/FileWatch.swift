// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Finds out whether files have changed: others by the same name, or other bytes in them.
///
/// Links are followed, so a secret that is exchanged by a link (as Kubernetes does it) is another file.
struct FileWatch {
    /// More than any certificate or configuration has.
    private static let largest = 16 << 20

    /// Which file it is, and when it was written.
    private struct Place: Equatable {
        var device: UInt64
        var number: UInt64
        var size: Int
        var written: Int64
        var changed: Int64
    }

    private struct Entry: Equatable {
        var place: Place?
        /// Tells contents apart, within this process; nil where the file cannot be read.
        var digest: Int?
    }

    private var entries: [String: Entry] = [:]

    /// Takes the files as they are.
    init(_ paths: [String]) {
        for path in paths { entries[path] = Self.look(at: path, before: nil) }
    }

    /// Goes on with these files: takes those as they are that it does not know yet, and forgets the others.
    mutating func follow(_ paths: [String]) {
        var next: [String: Entry] = [:]
        for path in paths { next[path] = entries[path] ?? Self.look(at: path, before: nil) }
        entries = next
    }

    /// Looks again, at these files.
    ///
    /// - Returns: Those whose contents have changed since the last look, and those that are new.
    mutating func changes(of paths: [String]) -> [String] {
        var changed: [String] = []
        var next: [String: Entry] = [:]
        for path in paths {
            let before = entries[path]
            let entry = Self.look(at: path, before: before)
            if before == nil || before?.digest != entry.digest { changed.append(path) }
            next[path] = entry
        }
        entries = next
        return changed
    }

    private static func look(at path: String, before: Entry?) -> Entry {
        guard let place = place(of: path) else { return Entry() }
        // What has neither moved nor been written is not read again.
        if let before, before.place == place, before.digest != nil { return before }
        return Entry(place: place, digest: digest(of: path))
    }

    private static func place(of path: String) -> Place? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Place(
            device: UInt64(status.st_dev),
            number: UInt64(status.st_ino),
            size: Int(status.st_size),
            written: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            changed: Int64(status.st_ctim.tv_sec) * 1_000_000_000 + Int64(status.st_ctim.tv_nsec)
        )
    }

    private static func digest(of path: String) -> Int? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var hasher = Hasher()
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var total = 0
        while true {
            let count = read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0, total <= largest else { return nil }
            if count == 0 { return hasher.finalize() }
            chunk.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            total += count
        }
    }
}
