// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A socket of a ``BadLink``, which never blocks.
struct LinkSocket: ~Copyable {
    /// What came of reading or writing.
    enum Outcome {
        case bytes(Int)
        case wouldBlock
        case end
        case error
    }

    let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit {
        close(descriptor)
    }

    /// Starts to listen on a free port of the loopback interface.
    static func listen() throws(TestSupportError) -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(
            AF_INET,
            Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue),
            0
        )
        var address = loopback(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && Glibc.listen(descriptor, 1_024) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard descriptor >= 0, result else { throw TestSupportError.system("listen on the loopback interface") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    /// Starts to connect to a port of the loopback interface; whether it works shows when reading or writing.
    static func connect(port: UInt16) -> LinkSocket {
        let socket = LinkSocket(socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
        var address = loopback(port)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return socket
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    func read(into buffer: inout [UInt8], atMost count: Int) -> Outcome {
        outcome(recv(descriptor, &buffer, min(count, buffer.count), 0))
    }

    func write(_ bytes: ArraySlice<UInt8>) -> Outcome {
        bytes.withUnsafeBytes {
            outcome(send(descriptor, $0.baseAddress, $0.count, Int32(bitPattern: UInt32(MSG_NOSIGNAL))))
        }
    }

    private func outcome(_ count: Int) -> Outcome {
        if count > 0 { return .bytes(count) }
        if count == 0 { return .end }
        return errno == EAGAIN || errno == EINTR ? .wouldBlock : .error
    }

    /// Says that nothing more will be written.
    func finishWriting() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Makes closing a reset.
    func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }
}
