// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc

/// The sockets of one listener, one a thread.
///
/// Those of an address share its port, and the kernel spreads connections among them. A Unix socket cannot be shared so:
/// there all threads have the same one.
struct ListeningSockets {
    /// One descriptor for each thread; whoever takes them closes them.
    var descriptors: [Int32]
    /// The address, its port chosen where it was 0; nil for a Unix socket.
    var address: ListenerAddress?
    /// The file of a Unix socket.
    var file: SocketFile?
    /// Where the sockets come from.
    var origin: Listener.Origin
    /// What logs call it.
    var name: String

    /// Connections that wait to be accepted; the kernel cuts it down to net.core.somaxconn.
    private static let backlog: Int32 = 4096

    /// Gives everything back, without a thread that would do it.
    func close(from index: Int = 0) {
        for descriptor in descriptors.dropFirst(index) { _ = Glibc.close(descriptor) }
        file?.remove()
    }

    /// Listens, with a descriptor for each of `count` threads.
    ///
    /// - Parameters:
    ///   - listener: What to listen at.
    ///   - settings: What the configuration says of it.
    ///   - inherited: The sockets that there are already.
    ///   - count: The number of threads.
    static func open(
        _ listener: GatewaySnapshot.Listener,
        _ settings: GatewayConfiguration.Listener,
        inherited: InheritedSockets,
        count: Int
    ) throws(GatewayStartError) -> ListeningSockets {
        if let name = settings.inherited {
            let found = try inherited.socket(name, for: listener)
            var sockets = ListeningSockets(
                descriptors: [],
                address: found.address,
                origin: .inherited,
                name: found.description
            )
            try sockets.addCopies(of: found.descriptor, count)
            return sockets
        }
        return switch listener {
        case .tcp(let address, _): try open(address, isShared: settings.isShared, count: count)
        case .unix(let place): try open(place, count: count)
        }
    }

    /// Adds descriptors of a socket that stays open itself.
    private mutating func addCopies(of descriptor: Int32, _ count: Int) throws(GatewayStartError) {
        for _ in 0..<count {
            let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else {
                let error = SystemError("fcntl")
                close()
                throw GatewayStartError("cannot listen on \(name): \(error)")
            }
            descriptors.append(copy)
        }
    }

    private static func open(
        _ place: GatewayConfiguration.ListenerSocket,
        count: Int
    ) throws(GatewayStartError) -> ListeningSockets {
        let (descriptor, file) = try SocketFile.listen(place, backlog: backlog)
        var sockets = ListeningSockets(
            descriptors: [descriptor],
            file: file,
            origin: .shared,
            name: "unix:\(file.path)"
        )
        try sockets.addCopies(of: descriptor, count - 1)
        return sockets
    }

    private static func open(
        _ address: ListenerAddress,
        isShared: Bool,
        count: Int
    ) throws(GatewayStartError) -> ListeningSockets {
        var bound = address
        // Sockets that share a port do not notice those of another gateway; one that does not share does.
        if address.port != 0, !isShared { try makeExclusive(address) }
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
            for number in sockets { _ = Glibc.close(number) }
            throw error
        }
        return ListeningSockets(descriptors: sockets, address: bound, origin: .own, name: "\(bound)")
    }

    private static func makeExclusive(_ address: ListenerAddress) throws(GatewayStartError) {
        _ = Glibc.close(try make(address, sharingPort: false))
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
                case EADDRINUSE where sharingPort:
                    "; another program listens there, one of another user or one that does not share the port"
                case EADDRINUSE: "; another program listens there (listeners[].shared, where both are gateways)"
                case EACCES: "; a port below 1024 needs the right to bind it"
                case EADDRNOTAVAIL: "; no interface of this machine has the address"
                default: ""
                }
            throw GatewayStartError("cannot listen on \(address): \(error.reason)\(hint)")
        }
    }
}
