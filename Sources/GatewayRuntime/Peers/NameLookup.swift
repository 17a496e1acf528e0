// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import Synchronization

/// Asks the system for the addresses of a host, on a thread of its own, because that may wait for a name server.
enum NameLookup {
    /// Why there is no address.
    struct Failure: Error {
        var reason: String
    }

    /// How many may run at once, over all threads.
    private static let limit = 8
    private static let running = Atomic<Int>(0)

    /// Finds the addresses.
    ///
    /// - Parameters:
    ///   - host: A name or an address.
    ///   - port: The port that goes with it.
    ///   - reply: Called once, on another thread, or at once where there is nothing to ask.
    static func find(
        _ host: String,
        _ port: UInt16,
        _ reply: @escaping @Sendable (Result<[ListenerAddress], Failure>) -> Void
    ) {
        let literal = ListenerAddress(host: host, port: port)
        if SocketAddress(literal) != nil { return reply(.success([literal])) }
        guard running.add(1, ordering: .relaxed).newValue <= limit else {
            running.subtract(1, ordering: .relaxed)
            return reply(.failure(Failure(reason: "too many names are being looked up")))
        }
        let isStarted = DetachedThread.start {
            let result = ask(host, port)
            running.subtract(1, ordering: .relaxed)
            reply(result)
        }
        guard !isStarted else { return }
        running.subtract(1, ordering: .relaxed)
        reply(.failure(Failure(reason: "there is no thread to look the name '\(host)' up")))
    }

    private static func ask(_ host: String, _ port: UInt16) -> Result<[ListenerAddress], Failure> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &first)
        guard code == 0 else {
            return .failure(
                Failure(reason: "the name '\(host)' cannot be looked up: \(String(cString: gai_strerror(code)))")
            )
        }
        defer { freeaddrinfo(first) }
        var addresses: [ListenerAddress] = []
        var next = first
        while let info = next?.pointee, addresses.count < 16 {
            next = info.ai_next
            guard let source = info.ai_addr, Int(info.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size else {
                continue
            }
            let address = SocketAddress { storage, length in
                UnsafeMutableRawPointer(storage).copyMemory(from: source, byteCount: Int(info.ai_addrlen))
                length.pointee = info.ai_addrlen
            }
            if let found = address.listenerAddress { addresses.append(found) }
        }
        return addresses.isEmpty ? .failure(Failure(reason: "the name '\(host)' has no address")) : .success(addresses)
    }
}
