// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What Landlock can deny about files (LANDLOCK_ACCESS_FS_… of include/uapi/linux/landlock.h).
struct LandlockRights: OptionSet, Sendable, Hashable {
    let rawValue: UInt64

    static let execute = Self(rawValue: 1 << 0)
    static let writeFile = Self(rawValue: 1 << 1)
    static let readFile = Self(rawValue: 1 << 2)
    static let readFolder = Self(rawValue: 1 << 3)
    static let removeFile = Self(rawValue: 1 << 5)
    static let makeFile = Self(rawValue: 1 << 8)
    static let makeSocket = Self(rawValue: 1 << 9)
    /// Moving files between folders: version 2.
    static let refer = Self(rawValue: 1 << 13)
    /// Cutting files short: version 3.
    static let truncate = Self(rawValue: 1 << 14)
    /// Controlling devices: version 5.
    static let controlDevice = Self(rawValue: 1 << 15)

    /// Those that make sense for a file that is no folder.
    static let ofFiles: Self = [.execute, .writeFile, .readFile, .truncate, .controlDevice]

    /// All that a version of Landlock knows.
    static func known(by abi: Int32) -> Self {
        let count: UInt64 = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13
        return Self(rawValue: 1 << count - 1)
    }

    /// What reading takes.
    static let reading: Self = [.readFile, .readFolder]
    /// What appending to a file takes, and making it. Reading, because the audit log is opened for both.
    static let appending: Self = [.readFile, .writeFile, .makeFile]
    /// What a socket takes that is listened at: its folder is locked and looked at, too.
    static let listening: Self = [.makeSocket, .removeFile, .readFolder]
    /// What a folder takes that the operator lets be written.
    static let writing: Self = [.readFile, .readFolder, .writeFile, .makeFile, .removeFile, .truncate]
}
