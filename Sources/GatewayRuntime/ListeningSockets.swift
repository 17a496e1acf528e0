// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc

/// The sockets of one listening address, one a thread, among which the kernel spreads connections.
enum ListeningSockets {
    /// Connections that wait to be accepted; the kernel cuts it down to net.core.somaxconn.
    private static let backlog: Int32 = 4096

    /// Binds `count` sockets to one address.
    ///
    /// - Returns: The sockets' descriptors, which the caller owns, and the address, its port chosen where it was 0.
    static func open(
        _ address: ListenerAddress,
        count: Int
    ) throws(GatewayStartError) -> (descriptors: [Int32], address: ListenerAddress) {
        var bound = address
        // Sockets that share a port do not notice those of another gateway; one that does not share does.
        if address.port != 0 { try makeExclusive(address) }
        var sockets: [Int32] = []
        do throws(GatewayStartError) {
            for _ in 0..<count {
                let number = try make(bound, sharingPort: true)
                sockets.append(number)
                if bound.port == 0 {
                    let local = SocketAddress { storage, length in
                        storage.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                            _ = getsockname(number, $0, length)
                        }
                    }
                    bound.port = local.listenerAddress?.port ?? 0
                }
            }
        } catch {
            for number in sockets { _ = close(number) }
            throw error
        }
        return (sockets, bound)
    }

    private static func makeExclusive(_ address: ListenerAddress) throws(GatewayStartError) {
        _ = close(try make(address, sharingPort: false))
    }

    private static func make(_ address: ListenerAddress, sharingPort: Bool) throws(GatewayStartError) -> Int32 {
        guard let native = SocketAddress(address) else {
            throw GatewayStartError("\(address) is not an address of this system")
        }
        do throws(SystemError) {
            let socket = try Socket(family: native.family)
            try socket.setOption(SOL_SOCKET, SO_REUSEADDR, 1)
            if sharingPort { try socket.setOption(SOL_SOCKET, SO_REUSEPORT, 1) }
            if native.family == AF_INET6 { try socket.setOption(Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            guard native.withPointer({ bind(socket.number, $0, $1) }) == 0 else { throw SystemError("bind") }
            guard listen(socket.number, backlog) == 0 else { throw SystemError("listen") }
            let number = fcntl(socket.number, F_DUPFD_CLOEXEC, 0)
            guard number >= 0 else { throw SystemError("fcntl") }
            return number
        } catch {
            let hint =
                switch error.code {
                case EADDRINUSE: "; another program listens there"
                case EACCES: "; a port below 1024 needs the right to bind it"
                case EADDRNOTAVAIL: "; no interface of this machine has the address"
                default: ""
                }
            throw GatewayStartError("cannot listen on \(address): \(error.reason)\(hint)")
        }
    }
}
