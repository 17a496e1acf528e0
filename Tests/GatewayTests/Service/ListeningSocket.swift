// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport

/// A socket that a service manager would hand over.
final class ListeningSocket: Sendable {
    let descriptor: Int32
    /// Its port; 0 for a Unix socket.
    let port: UInt16

    private init(_ descriptor: Int32, port: UInt16) {
        self.descriptor = descriptor
        self.port = port
    }

    deinit {
        close(descriptor)
    }

    /// A TCP socket on the loopback interface.
    static func tcp(listens: Bool = true) throws -> ListeningSocket {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let descriptor = try make(AF_INET, SOCK_STREAM, address)
        if listens, listen(descriptor, 128) != 0 { throw TestSupportError("listen: \(errno)") }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        return ListeningSocket(descriptor, port: UInt16(bigEndian: address.sin_port))
    }

    /// A Unix socket.
    static func unix(_ path: String, _ type: __socket_type = SOCK_STREAM) throws -> ListeningSocket {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let descriptor = try make(AF_UNIX, type, address)
        if type == SOCK_STREAM, listen(descriptor, 128) != 0 { throw TestSupportError("listen: \(errno)") }
        return ListeningSocket(descriptor, port: 0)
    }

    private static func make<Address>(_ family: Int32, _ type: __socket_type, _ address: Address) throws -> Int32 {
        let descriptor = socket(family, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard descriptor >= 0, result == 0 else { throw TestSupportError("bind: \(errno)") }
        return descriptor
    }
}

/// Sockets that are handed over, as systemd does it.
struct Activation {
    /// The process number is that of the program, which the shell becomes.
    static let launcher = ["/bin/sh", "-c", "export LISTEN_PID=$$; exec \"$@\"", "sh"]

    let sockets: [(name: String, socket: ListeningSocket)]

    var descriptors: [Int32] { sockets.map(\.socket.descriptor) }

    var environment: [String: String] {
        ["LISTEN_FDS": "\(sockets.count)", "LISTEN_FDNAMES": sockets.map(\.name).joined(separator: ":")]
    }

    func start(_ configurationFile: String) throws -> GatewayProcess {
        try GatewayProcess(
            configurationFile: configurationFile,
            environment: environment,
            descriptors: descriptors,
            launcher: Self.launcher
        )
    }

    /// What a start says that fails.
    func failure(_ configurationFile: String) throws -> (status: Int32, errors: String) {
        let words = try Self.launcher + GatewayProcess.command(configurationFile)
        let child = try ChildProcess(words, environment: environment, descriptors: descriptors)
        return (try child.wait(), child.errors)
    }
}
