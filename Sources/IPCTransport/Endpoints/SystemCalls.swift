// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

/// The system calls for what SwiftNIO does not do: Unix sockets whose file has the right mode from the beginning. All
/// unsafe code of the module that is not TLS is here.
enum SystemCalls {
    /// A system call that failed.
    struct Failure: Error {
        let call: String
        let code: Int32

        init(_ call: String) {
            self.call = call
            code = errno
        }

        var text: String { "\(call): \(SystemCalls.text(of: code))" }
    }

    /// Which file something is.
    struct FileIdentity: Hashable, Sendable {
        let device: UInt64
        let number: UInt64
        let isSocket: Bool
    }

    static let connectionRefused = ECONNREFUSED
    static let connectionAborted = ECONNABORTED
    static let tryAgain = EAGAIN
    static let addressInUse = EADDRINUSE
    /// The user that this process acts for.
    static var effectiveUser: UInt32 { UInt32(geteuid()) }
    /// The longest path of a Unix socket, in bytes.
    static let pathLimit = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// TCP's options for when, how often and how many times a silent peer is asked whether it is there, in seconds.
    static var keepAliveTimes: [(name: Int32, value: Int32)] {
        #if os(Linux)
        [(TCP_KEEPIDLE, 60), (TCP_KEEPINTVL, 15), (TCP_KEEPCNT, 4)]
        #else
        [(TCP_KEEPALIVE, 60), (TCP_KEEPINTVL, 15), (TCP_KEEPCNT, 4)]
        #endif
    }

    /// The system's words for an error.
    static func text(of code: Int32) -> String {
        // The libraries' own texts; that of an unknown number is kept per thread (glibc 2.32) or not used again soon.
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }

    /// What is at a path, without following a link; nil when there is nothing.
    static func identity(of path: String) throws(Failure) -> FileIdentity? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw Failure("lstat")
        }
        return FileIdentity(
            device: UInt64(status.st_dev),
            number: UInt64(status.st_ino),
            isSocket: status.st_mode & S_IFMT == S_IFSOCK
        )
    }

    static func unlink(_ path: String) throws(Failure) {
        guard posixUnlink(path) == 0 || errno == ENOENT else { throw Failure("unlink") }
    }

    static func close(_ descriptor: Int32) {
        posixClose(descriptor)
    }

    /// A new Unix stream socket that does not block and is not inherited.
    static func makeUnixSocket() throws(Failure) -> Int32 {
        #if os(Linux)
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        #else
        let type = SOCK_STREAM
        #endif
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw Failure("socket") }
        #if !os(Linux)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        #endif
        return descriptor
    }

    /// Whether somebody listens at a path.
    static func isListening(_ path: String) throws(Failure) -> Bool {
        let descriptor = try makeUnixSocket()
        defer { close(descriptor) }
        if withAddress(path, { posixConnect(descriptor, $0, $1) }) == 0 { return true }
        switch errno {
        // The queue of those who wait to be accepted is full.
        case EAGAIN, EINPROGRESS: return true
        case ECONNREFUSED, ENOENT: return false
        default: throw Failure("connect")
        }
    }

    /// Binds a socket to a path and listens. Nobody can connect before the file has its mode and owner.
    static func listen(
        _ descriptor: Int32,
        at path: String,
        mode: UInt32,
        owner: ServerEndpoint.Owner?,
        backlog: Int32
    ) throws(Failure) {
        // On Linux the file gets the mode of the socket, less what the umask takes away.
        _ = fchmod(descriptor, mode_t(mode))
        guard withAddress(path, { posixBind(descriptor, $0, $1) }) == 0 else { throw Failure("bind") }
        guard chmod(path, mode_t(mode)) == 0 else { throw Failure("chmod") }
        if let owner {
            let unchanged = UInt32.max
            guard lchown(path, owner.user ?? unchanged, owner.group ?? unchanged) == 0 else { throw Failure("chown") }
        }
        guard posixListen(descriptor, backlog) == 0 else { throw Failure("listen") }
    }

    /// Runs `body` while no other process does the same for this directory.
    ///
    /// A directory that cannot be locked, or not soon, is used all the same. Then two servers that start at the same
    /// moment may both find a file that nobody listens at, and one of them will not be reached.
    static func withLock<R>(onDirectoryOf path: String, _ body: () throws -> R) rethrows -> R {
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        var attempts = 100
        while descriptor >= 0, attempts > 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            attempts -= 1
            poll(nil, 0, 10)
        }
        return try body()
    }

    /// The address of a Unix socket, whose path has been checked. (SwiftNIO's own initializer allows 103 bytes
    /// everywhere.)
    static func address(_ path: String) -> SocketAddress {
        SocketAddress(makeAddress(path))
    }

    private static func makeAddress(_ path: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(pathLimit)) }
        return address
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        withUnsafePointer(to: makeAddress(path)) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    /// Has a channel, when it is closed, drop what the peer has not acknowledged, and tell the peer so. On its event loop.
    static func resetWhenClosed(_ channel: any NIOCore.Channel) {
        guard let socket = channel as? any SocketOptionProvider else { return }
        _ = socket.setSoLinger(linger(l_onoff: 1, l_linger: 0))
    }
}

// The enumeration's own functions hide these.
private func posixUnlink(_ path: String) -> Int32 { unlink(path) }
@discardableResult
private func posixClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func posixBind(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    bind(descriptor, address, length)
}
private func posixConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, address, length)
}
private func posixListen(_ descriptor: Int32, _ backlog: Int32) -> Int32 { listen(descriptor, backlog) }
