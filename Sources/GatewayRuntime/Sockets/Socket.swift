// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// A non-blocking stream socket with one owner.
struct Socket: ~Copyable {
    /// What reading gave.
    enum ReadOutcome {
        case bytes(Int)
        case wouldBlock
        case end
        case failed(SystemError)
    }

    /// What writing gave.
    enum WriteOutcome {
        case bytes(Int)
        case wouldBlock
        case failed(SystemError)
    }

    /// What dialling gave.
    enum ConnectOutcome {
        case connected
        case inProgress
        /// The server's queue is full; a Unix socket does not tell when it no longer is.
        case queueFull
        case failed(SystemError)
    }

    let descriptor: Descriptor

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// A new socket of the address family.
    init(family: Int32) throws(SystemError) {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(family, type, 0)
        guard number >= 0 else { throw SystemError("socket") }
        descriptor = Descriptor(number)
    }

    var number: Int32 { descriptor.number }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        while true {
            let count = recv(number, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(SystemError("read"))
            }
        }
    }

    /// Whether the peer has finished, or the connection is broken, and nothing is left to be read before that.
    var hasEndOfInput: Bool {
        var byte: UInt8 = 0
        let count = recv(number, &byte, 1, Int32(bitPattern: UInt32(MSG_PEEK)))
        return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> WriteOutcome {
        while true {
            let count = send(number, bytes.baseAddress, bytes.count, Int32(bitPattern: UInt32(MSG_NOSIGNAL)))
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(SystemError("write"))
            }
        }
    }

    func connect(to address: SocketAddress) -> ConnectOutcome {
        while true {
            let result = address.withPointer { Glibc.connect(number, $0, $1) }
            if result == 0 { return .connected }
            switch errno {
            case EINTR: continue
            case EISCONN: return .connected
            case EINPROGRESS: return .inProgress
            case EAGAIN: return .queueFull
            default: return .failed(SystemError("connect"))
            }
        }
    }

    /// Says that nothing more will be written; the peer reads an end of file.
    func shutdownWriting() {
        _ = shutdown(number, Int32(SHUT_WR))
    }

    /// What went wrong with a connection that was in progress; nil when nothing did.
    var pendingError: SystemError? {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(number, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { return SystemError("getsockopt") }
        return code == 0 ? nil : SystemError("connect", code)
    }

    /// Small messages leave at once, and peers that vanished without a word are noticed within minutes.
    func setStreamOptions() {
        let options: [(Int32, Int32, Int32)] = [
            (Int32(IPPROTO_TCP), TCP_NODELAY, 1), (SOL_SOCKET, SO_KEEPALIVE, 1),
            (Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60), (Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15),
            (Int32(IPPROTO_TCP), TCP_KEEPCNT, 4),
        ]
        for (level, name, value) in options {
            // A connection that was reset already refuses options; its owner finds out.
            try? setOption(level, name, value)
        }
    }

    /// Sets how many bytes have to be there before the socket is reported as readable, unless nothing more comes.
    ///
    /// Linux asks for it of TCP sockets, and sees to it that there is room for as many (socket(7), SO_RCVLOWAT).
    ///
    /// - Returns: Whether it is so now.
    func setLowWater(_ byteCount: Int) -> Bool {
        (try? setOption(SOL_SOCKET, SO_RCVLOWAT, Int32(clamping: byteCount))) != nil
    }

    func setOption(_ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard setsockopt(number, level, name, &value, size) == 0 else { throw SystemError("setsockopt") }
    }
}
