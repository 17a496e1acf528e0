// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Synchronization

/// A TCP server that serves one connection after the other, on a thread of its own.
final class TCPServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let isStopped = Mutex(false)

    /// Starts to listen on the loopback interface.
    ///
    /// - Parameter serve: What is done with each connection, one after the other; it ends when the connection does.
    init(serve: @escaping @Sendable (BlockingStream) throws -> Void) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (descriptor, isListening) = withUnsafeMutablePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                (
                    listener,
                    bind(listener, $0, size) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &size) == 0
                )
            }
        }
        guard isListening else { throw TestSupportError("cannot listen on descriptor \(descriptor)") }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while !isStopped.withLock({ $0 }) {
                var poll = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
                guard Glibc.poll(&poll, 1, 20) > 0 else { continue }
                try? serve(BlockingStream(descriptor: accept(listener, nil, nil)))
            }
            close(listener)
        }
    }

    /// A server that sends back what it receives.
    static func echo() throws -> TCPServer {
        try TCPServer { stream in
            while true {
                switch try stream.receive(milliseconds: patient(20_000)) {
                case .bytes(let bytes): try stream.send(bytes)
                case .end, .nothing: return stream.finishSending()
                }
            }
        }
    }

    /// Serves nobody any more.
    func stop() {
        isStopped.withLock { $0 = true }
    }
}
