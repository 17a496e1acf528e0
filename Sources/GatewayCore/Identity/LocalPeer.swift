// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What the kernel says of a process that has connected to a Unix socket.
///
/// Nothing here is said by the process itself. Ids are the effective ones that it had when it connected.
public struct LocalPeer: Sendable, Hashable, CustomStringConvertible {
    /// The program that a process runs.
    public enum Executable: Sendable, Hashable {
        /// The absolute path of its file, which is still there, in this process's view of the file system.
        case path(String)
        /// The same, but it was not made certain, because no entry asks for such a program. It names nobody.
        case unchecked(String)
        /// It cannot be told, for the given reason.
        case unknown(String)
    }

    /// The process; 0 when this process cannot see it, because it lives in another PID namespace.
    public var processID: Int32
    /// Its user.
    public var userID: UInt32
    /// Its groups, the primary one first, each once; none only where a peer is made up.
    public var groupIDs: [UInt32]
    /// The program it ran when the connection was accepted.
    public var executable: Executable

    /// Makes a peer. Groups that come twice are taken once.
    public init(
        processID: Int32,
        userID: UInt32,
        groupID: UInt32,
        supplementaryGroupIDs: [UInt32] = [],
        executable: Executable
    ) {
        self.processID = processID
        self.userID = userID
        var seen: Set<UInt32> = []
        groupIDs = ([groupID] + supplementaryGroupIDs).filter { seen.insert($0).inserted }
        self.executable = executable
    }

    /// Makes up a peer, which is in these groups and no others.
    public init(userID: UInt32, groupIDs: [UInt32], executable: Executable) {
        processID = 0
        self.userID = userID
        var seen: Set<UInt32> = []
        self.groupIDs = groupIDs.filter { seen.insert($0).inserted }
        self.executable = executable
    }

    /// An id as `id` prints it: digits alone, no leading zeros, and not the system's 'no id'; nil for anything else.
    public static func id(_ text: String) -> UInt32? {
        guard let number = UInt32(text), number < .max, "\(number)".utf8.elementsEqual(text.utf8) else { return nil }
        return number
    }

    /// `uid 1000 pid 4711 /usr/bin/node`, as far as it is known.
    public var description: String {
        var words = ["uid \(userID)"]
        if processID > 0 { words.append("pid \(processID)") }
        switch executable {
        case .path(let path): words.append(LogText.quoted(path))
        case .unchecked(let path): words.append("\(LogText.quoted(path)) (not verified)")
        case .unknown: break
        }
        return words.joined(separator: " ")
    }
}
