// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What the system says of the process.
struct ProcessFigures: Sendable {
    /// How many descriptors are open; nil when that cannot be known.
    var openFiles: Int?
    /// How many may be.
    var openFilesLimit: Int
    /// Memory that it holds, in bytes.
    var residentBytes: Int?

    /// Asks the system.
    static func current() -> ProcessFigures {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return ProcessFigures(
            openFiles: countDescriptors(),
            openFilesLimit: Int(clamping: limit.rlim_cur),
            residentBytes: readResidentBytes()
        )
    }

    private static func countDescriptors() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        // Less the folder itself, and the entries for it and for its parent.
        var count = -3
        while readdir(folder) != nil { count += 1 }
        return count
    }

    private static func readResidentBytes() -> Int? {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = read(file, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
        return words.dropFirst().first.flatMap { Int($0) }.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }
}
