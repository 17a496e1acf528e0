// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import GatewayCore
internal import Glibc

/// Asks the kernel who is at the other end of a Unix socket.
enum PeerCredentials {
    /// Why it is not known who is there.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Supplementary groups that are looked at. A user namespace lets anybody be in tens of thousands.
    private static let mostGroups = 1_024

    /// - Parameters:
    ///   - socket: A connection that was accepted.
    ///   - asksFor: Whether an entry asks for the program at a path.
    static func read(
        _ socket: borrowing Socket,
        asksFor: (String) -> Bool
    ) throws(Failure) -> LocalPeer {
        var peer = clinux_peer()
        guard clinux_peer_credentials(socket.number, &peer) == 0 else { throw failure() }
        // The system's 'no id', as of a socket that nobody has connected.
        guard peer.user != .max, peer.group != .max else {
            throw Failure(description: "the kernel does not say who the client is")
        }
        return LocalPeer(
            processID: peer.process,
            userID: peer.user,
            groupID: peer.group,
            supplementaryGroupIDs: try groups(of: peer, socket.number),
            executable: executable(of: peer.process, socket.number, asksFor)
        )
    }

    private static func failure() -> Failure {
        Failure(description: "the kernel does not say who the client is: \(SystemError("getsockopt"))")
    }

    private static func groups(of peer: clinux_peer, _ socket: Int32) throws(Failure) -> [UInt32] {
        var groups = [UInt32](repeating: 0, count: 32)
        while true {
            let count = Int(clinux_peer_groups(socket, &groups, Int32(groups.count)))
            // Linux before 4.13 does not know the question; only the primary group counts then.
            if count < 0, errno == ENOPROTOOPT { return [] }
            guard count >= 0 else { throw failure() }
            guard count <= mostGroups else {
                throw Failure(description: "uid \(peer.user) is in \(count) groups, more than \(mostGroups)")
            }
            if count <= groups.count { return Array(groups[..<count]) }
            groups = [UInt32](repeating: 0, count: count)
        }
    }

    // MARK: The program

    /// The program of the process, as far as it can be made certain.
    private static func executable(
        of process: Int32,
        _ socket: Int32,
        _ asksFor: (String) -> Bool
    ) -> LocalPeer.Executable {
        guard process > 0 else { return .unknown("the process is in another PID namespace") }
        let number = clinux_peer_process(socket, process)
        guard number >= 0 else { return .unknown("process \(process): \(SystemError("").reason)") }
        let holder = Descriptor(number)
        let link = "/proc/\(process)/exe"
        let path: String
        // In the sandbox nobody can look at processes outside of it.
        let helper = ProgramHelper.inForce
        var isSameToHelper: Bool?
        do throws(SystemError) {
            let bytes: [CChar]
            if let helper {
                let program = try helper.program(of: process)
                bytes = program.path
                isSameToHelper = program.isSame
            } else {
                bytes = try target(of: link)
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                return .unknown("the program's path is not UTF-8")
            }
            path = text
        } catch {
            return .unknown("\(link): \(error.reason)")
        }
        let isAsked = asksFor(path)
        let isSame = isAsked && (isSameToHelper ?? leadToSameFile(link, path))
        // Only now: while the process lives nobody else has its number, so what was read is its own.
        guard isAlive(holder) else { return .unknown("process \(process) has ended") }
        if !isAsked { return .unchecked(path) }
        return isSame ? .path(path) : .unknown("\(path) is not the file that the process runs")
    }

    private static func target(of link: String) throws(SystemError) -> [CChar] {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &bytes, bytes.count)
        guard count >= 0 else { throw SystemError("readlink") }
        guard count < bytes.count else { throw SystemError("readlink", ENAMETOOLONG) }
        return Array(bytes[..<count])
    }

    /// Whether the path means here what it means to the process: it may have mounts of its own, or its file may have been
    /// deleted or replaced.
    private static func leadToSameFile(_ link: String, _ path: String) -> Bool {
        var running = clinux_file()
        var named = clinux_file()
        guard clinux_identify_file(link, &running) == 0, clinux_identify_file(path, &named) == 0 else { return false }
        return running.device == named.device && running.number == named.number
    }

    private static func isAlive(_ holder: borrowing Descriptor) -> Bool {
        var poll = pollfd(fd: holder.number, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) == 0
    }
}
