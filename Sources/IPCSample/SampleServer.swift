// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import IPC
internal import IPCProtocol

/// A small server on a Unix socket, with something to call and something to listen to.
///
/// - `sample.echo(x)` gives `x` back, `sample.add([a, b, …])` the sum, `sample.whoami()` the caller's context.
/// - `sample.onTick` fires a growing number every 100 ms.
/// - `storage.get(key)`, `storage.set([key, value])` and `storage.drop()` keep values for as long as the server runs;
///   `storage.onDidChange` fires the key of each change to listeners on the same connection.
///
/// A thread for each connection: fine for a sample.
public final class SampleServer: Sendable {
    private let listener: Int32
    private let storage = SampleStorage()

    /// The path of the socket.
    public let path: String

    /// Listens on a new socket, which only this user may connect to. A file left behind by a server that is gone is
    /// replaced; one with a live server behind it is not.
    public init(unix path: String) throws(SampleError) {
        self.path = path
        if (try? BlockingStream(unix: path)) != nil {
            throw SampleError("\(path): another server listens there; stop it or choose another path")
        }
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SampleError("\(path): a socket's path has at most 107 bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw SampleError.system("socket") }
        let previousMask = umask(0o177)
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        umask(previousMask)
        guard result == 0, listen(listener, 128) == 0 else { throw SampleError.system("listen on \(path)") }
    }

    deinit {
        close(listener)
        unlink(path)
    }

    /// Serves connections on a thread of its own, until `stop`.
    public func start() throws(SampleError) {
        try DetachedThread.start { self.run() }
    }

    private func run() {
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            let storage = storage
            do throws(SampleError) {
                try DetachedThread.start {
                    let connection = SampleConnection(stream: BlockingStream(descriptor: connection), storage: storage)
                    // A client that breaks the protocol or vanishes ends its own connection only.
                    try? connection.serve()
                }
            } catch {
                close(connection)
            }
        }
    }

    /// Ends serving; new connections fail. Connections that are open live until their clients leave.
    public func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        unlink(path)
    }
}
