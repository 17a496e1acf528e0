// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc

/// Listening sockets that the service manager has opened before it started the gateway (sd_listen_fds(3)).
public struct InheritedSockets: Sendable {
    /// One of them.
    struct Inherited {
        var descriptor: Int32
        /// Where it listens; nil for a Unix socket.
        var address: ListenerAddress?
        /// For logs.
        var description: String
    }

    /// The first descriptor that is handed over (SD_LISTEN_FDS_START).
    private static let first: Int32 = 3

    /// Descriptors and their names, in their order.
    private let sockets: [(name: String, descriptor: Int32)]

    /// No sockets.
    public init() {
        sockets = []
    }

    /// Takes what the environment says is there.
    ///
    /// - Parameters:
    ///   - count: `LISTEN_FDS`.
    ///   - process: `LISTEN_PID`; where it names another process the sockets are not ours.
    ///   - names: `LISTEN_FDNAMES`, with colons between them.
    init(count: String?, process: String?, names: String?) {
        guard let count = count.flatMap({ Int32($0) }), count > 0, process.flatMap({ Int32($0) }) == getpid() else {
            sockets = []
            return
        }
        let names = names?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
        var sockets: [(name: String, descriptor: Int32)] = []
        for index in 0..<min(count, 1024) {
            let descriptor = Self.first + index
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            // As sd_listen_fds_with_names has it.
            sockets.append((names.indices.contains(Int(index)) ? names[Int(index)] : "unknown", descriptor))
        }
        self.sockets = sockets
    }

    /// How many there are.
    public var count: Int { sockets.count }

    // MARK: Using them

    /// The socket for a listener.
    ///
    /// - Throws: When there is none of that name, there are several, or it is not what the listener needs.
    func socket(_ name: String, for listener: GatewaySnapshot.Listener) throws(GatewayStartError) -> Inherited {
        let found = sockets.filter { $0.name.utf8.elementsEqual(name.utf8) }
        func failure(_ text: String) -> GatewayStartError {
            GatewayStartError("cannot listen on systemd:\(name): \(text)")
        }
        guard let descriptor = found.first?.descriptor else {
            let names = sockets.map { "'\($0.name)'" }.joined(separator: ", ")
            throw failure(
                sockets.isEmpty
                    ? "no sockets were handed over; start the gateway through its socket unit, or give an address"
                    : "no socket of this name was handed over, only \(names); see FileDescriptorName= of the socket unit"
            )
        }
        guard found.count == 1 else {
            throw failure(
                "\(found.count) sockets have the name; give each a socket unit with its own FileDescriptorName="
            )
        }
        guard Self.option(descriptor, SO_TYPE) == Int32(SOCK_STREAM.rawValue) else {
            throw failure("descriptor \(descriptor) is no stream socket (ListenStream=)")
        }
        guard Self.option(descriptor, SO_ACCEPTCONN) == 1 else {
            throw failure("the socket does not listen; the socket unit must have Accept=no")
        }
        let address = Self.address(of: descriptor)
        switch (listener, address.family) {
        case (.tcp, AF_INET), (.tcp, AF_INET6), (.unix, AF_UNIX): break
        case (.tcp, AF_UNIX): throw failure("it is a Unix socket; write 'unix: systemd:\(name)', without 'tls'")
        case (.unix, AF_INET), (.unix, AF_INET6):
            throw failure("it is a TCP socket; write 'address: systemd:\(name)', with 'tls'")
        default: throw failure("it is neither a TCP socket nor a Unix socket")
        }
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0 else {
            throw failure("\(SystemError("fcntl"))")
        }
        let place = address.listenerAddress
        return Inherited(
            descriptor: descriptor,
            address: place,
            description: place.map { "\($0)" } ?? "unix:systemd:\(name)"
        )
    }

    /// Closes what the listeners have got descriptors of their own for.
    ///
    /// - Throws: When there is a socket that no listener takes: its clients would wait for ever.
    func checkThatAllAreTaken(by listeners: [GatewayConfiguration.Listener]) throws(GatewayStartError) {
        for (name, _) in sockets {
            guard !listeners.contains(where: { $0.inherited?.utf8.elementsEqual(name.utf8) == true }) else { continue }
            throw GatewayStartError(
                "the service manager hands over the socket '\(name)', which no listener takes; add one "
                    + "with 'address: systemd:\(name)' (or 'unix: …'), or take it out of the socket unit"
            )
        }
        for (_, descriptor) in sockets { _ = close(descriptor) }
    }

    private static func option(_ descriptor: Int32, _ name: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }

    private static func address(of descriptor: Int32) -> SocketAddress {
        SocketAddress { storage, length in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, length) }
        }
    }
}
