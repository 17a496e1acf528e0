// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A ruleset of Landlock, the kernel's way for a process to give up rights (Linux 5.13).
///
/// It is put in force for a thread, and holds for those that the thread starts from then on.
final class Landlock {
    /// The newest version whose rights are known here.
    private static let newest: Int32 = 7
    private static let tcpBind: UInt64 = 1 << 0
    private static let tcpConnect: UInt64 = 1 << 1
    private static let abstractSockets: UInt64 = 1 << 0
    private static let signals: UInt64 = 1 << 1

    /// The kernel's version.
    let abi: Int32
    /// Which folders and files are allowed, by what they are: names may come to mean others.
    let allowed: [FileID: LandlockRights]
    /// Paths that could not be allowed, and why.
    let failures: [String]
    private let ruleset: Descriptor

    /// The version that the kernel has; nil for none.
    static var available: Int32? {
        let abi = clinux_landlock_abi()
        return abi > 0 ? abi : nil
    }

    /// Makes a ruleset that allows what is planned, and nothing else that the kernel knows to deny.
    init(_ plan: SandboxPlan) throws(SystemError) {
        let abi = clinux_landlock_abi()
        guard abi > 0 else { throw SystemError("landlock_create_ruleset") }
        let files = LandlockRights.known(by: abi)
        let number = clinux_landlock_create(
            clinux_landlock_ruleset(
                files: files.rawValue,
                network: abi >= 4 ? Self.tcpBind | Self.tcpConnect : 0,
                // The socket of a service manager is connected before.
                scopes: abi >= 6 ? Self.signals | Self.abstractSockets : 0
            )
        )
        guard number >= 0 else { throw SystemError("landlock_create_ruleset") }
        ruleset = Descriptor(number)
        self.abi = abi
        var allowed: [FileID: LandlockRights] = [:]
        var failures: [String] = []
        for (path, rights) in plan.rights.sorted(by: { $0.key < $1.key }) {
            do throws(SystemError) {
                let id = try Self.allow(path, rights.intersection(files), number)
                allowed[id, default: []].formUnion(rights)
            } catch {
                failures.append("\(path): \(error.reason)")
            }
        }
        self.allowed = allowed
        for (ports, right) in [(plan.bindPorts, Self.tcpBind), (plan.connectPorts, Self.tcpConnect)] {
            for port in ports where abi >= 4 && clinux_landlock_allow_port(number, port, right) != 0 {
                failures.append("port \(port): \(SystemError("").reason)")
            }
        }
        self.failures = failures
    }

    private static func allow(
        _ path: String,
        _ rights: LandlockRights,
        _ ruleset: Int32
    ) throws(SystemError) -> FileID {
        let number = clinux_open_path(path)
        guard number >= 0 else { throw SystemError("open") }
        let opened = Descriptor(number)
        var status = stat()
        guard fstat(opened.number, &status) == 0 else { throw SystemError("fstat") }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        let possible = isFolder ? rights : rights.intersection(.ofFiles)
        guard clinux_landlock_allow_path(ruleset, opened.number, possible.rawValue) == 0 else {
            throw SystemError("landlock_add_rule")
        }
        return FileID(status)
    }

    /// Puts it in force, for this thread and those that it starts.
    func restrict() throws(SystemError) {
        guard clinux_landlock_restrict(ruleset.number) == 0 else { throw SystemError("landlock_restrict_self") }
    }

    /// Whether only the ports of the plan can be bound and connected to.
    var restrictsPorts: Bool { abi >= 4 }

    /// What it denies, for people.
    var scope: String {
        (["files"] + (abi >= 4 ? ["tcp"] : []) + (abi >= 6 ? ["scope"] : [])).joined(separator: ", ")
    }
}

/// Which file something is, whatever its name.
struct FileID: Hashable, Sendable {
    private let device: UInt64
    private let number: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
    }

    /// The file that a path leads to; nil when there is none.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}
