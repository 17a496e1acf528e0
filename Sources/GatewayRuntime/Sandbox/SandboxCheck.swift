// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import Synchronization

/// Tries what the sandbox must deny, because a rule that was dropped silently would look like one that holds.
enum SandboxCheck {
    /// A folder that may be listed now and must not be later.
    static func forbiddenFolder(_ allowed: (String) -> Bool) -> String? {
        ["/", "/proc", "/usr", "/etc", "/dev"].first { !allowed($0) && listing($0) == 0 }
    }

    /// What is possible on this thread, and on one that it starts, although it should not be.
    ///
    /// - Parameters:
    ///   - folder: See forbiddenFolder(_:).
    ///   - deniesTCP: Whether connections are denied, too.
    ///   - connectPorts: Ports to which they are not.
    static func leaks(_ folder: String, deniesTCP: Bool, connectPorts: Set<UInt16>) throws(SystemError) -> [String] {
        let port = (1...UInt16.max).first { !connectPorts.contains($0) } ?? 1
        let look: @Sendable () -> [String] = {
            var found: [String] = []
            if listing(folder) != EACCES { found.append("listing \(folder)") }
            if deniesTCP, connecting(port) != EACCES { found.append("connecting to a TCP port") }
            return found
        }
        let other = Shared()
        try WorkerThread { other.found.withLock { $0 = look() } }.join()
        return look() + other.found.withLock { $0 }.map { "\($0) on another thread" }
    }

    private final class Shared: Sendable {
        let found = Mutex(["nothing was tried"])
    }

    /// The error of listing a folder; 0 for none.
    private static func listing(_ path: String) -> Int32 {
        let number = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { return errno }
        _ = close(number)
        return 0
    }

    /// The error of connecting to a port of this machine; nothing is sent.
    private static func connecting(_ port: UInt16) -> Int32 {
        guard let address = SocketAddress(.init(host: "127.0.0.1", port: port)),
            let socket = try? Socket(family: AF_INET)
        else { return EACCES }
        if case .failed(let error) = socket.connect(to: address) { return error.code }
        return 0
    }

    /// How many threads the process has; nil when that cannot be told.
    static var threadCount: Int? {
        guard let folder = opendir("/proc/self/task") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while let entry = readdir(folder) {
            // The numbers of threads; the two others begin with a dot.
            if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
        }
        return count
    }
}
