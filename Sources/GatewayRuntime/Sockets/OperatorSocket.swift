// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore
internal import Glibc

/// A listening socket for operators, made by the rules of the gateway's own: a stale Unix socket is replaced, a live one is
/// not, and nobody connects before the file has its mode.
public struct OperatorSocket: Sendable {
    private static let backlog: Int32 = 64

    /// The descriptor, non-blocking; whoever takes it closes it.
    public let descriptor: Int32
    /// Where it listens, for people.
    public let name: String
    private let file: SocketFile?

    /// Listens at a path, for the process' own user.
    public init(unix path: String) throws(GatewayStartError) {
        let place = GatewayConfiguration.ListenerSocket(path: path, mode: 0o600)
        (descriptor, file) = try SocketFile.listen(place, backlog: Self.backlog)
        name = "unix:\(path)"
    }

    /// Listens at an address.
    public init(_ address: ListenerAddress) throws(GatewayStartError) {
        do throws(SystemError) {
            guard let place = SocketAddress(address) else { throw SystemError("bind", EINVAL) }
            let socket = try Socket(family: place.family)
            try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
            if place.family == AF_INET6 { try socket.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            guard place.withPointer({ bind(socket.number, $0, $1) }) == 0 else { throw SystemError("bind") }
            guard listen(socket.number, Self.backlog) == 0 else { throw SystemError("listen") }
            let bound = SocketAddress { storage, length in
                storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(socket.number, $0, length) }
            }
            let number = fcntl(socket.number, F_DUPFD_CLOEXEC, 0)
            guard number >= 0 else { throw SystemError("fcntl") }
            descriptor = number
            name = "\(bound.listenerAddress ?? address)"
            file = nil
        } catch {
            throw GatewayStartError("cannot listen on \(address) for operators: \(error)")
        }
    }

    /// Gives everything back, where nobody has taken the descriptor.
    public func close() {
        removeFile()
        _ = Glibc.close(descriptor)
    }

    /// Removes the file of a Unix socket, unless another has taken its place.
    public func removeFile() {
        file?.remove()
    }
}
