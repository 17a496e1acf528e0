// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc

/// The file of a Unix socket that is listened at.
struct SocketFile: Sendable {
    /// Which file something is, whatever its name.
    private struct Identity: Hashable {
        var device: UInt64
        var number: UInt64
    }

    let path: String
    private let identity: Identity

    /// Listens at a path.
    ///
    /// A socket that nobody listens at any more is replaced. Nobody can connect before the file has its mode.
    ///
    /// - Returns: The listening socket, and its file.
    static func listen(
        _ place: GatewayConfiguration.ListenerSocket,
        backlog: Int32
    ) throws(GatewayStartError) -> (descriptor: Int32, file: SocketFile) {
        try withLock(onFolderOf: place.path) { () throws(GatewayStartError) in
            do throws(SystemError) {
                guard let address = SocketAddress(unixPath: place.path) else {
                    throw SystemError("bind", ENAMETOOLONG)
                }
                try makeRoom(at: place.path, address)
                let socket = try Socket(family: AF_UNIX)
                // The file gets the mode of the socket, less what the umask takes away, so nothing is changed by its path,
                // which somebody might have exchanged. Nobody else makes files at this time of the start.
                guard fchmod(socket.number, mode_t(place.mode)) == 0 else { throw SystemError("fchmod") }
                let mask = umask(0)
                let result = address.withPointer { bind(socket.number, $0, $1) }
                let failure = SystemError("bind")
                umask(mask)
                guard result == 0 else { throw failure }
                guard Glibc.listen(socket.number, backlog) == 0 else { throw SystemError("listen") }
                guard let found = try look(at: place.path) else { throw SystemError("lstat", ENOENT) }
                let number = fcntl(socket.number, F_DUPFD_CLOEXEC, 0)
                guard number >= 0 else { throw SystemError("fcntl") }
                return (number, SocketFile(path: place.path, identity: found.identity))
            } catch {
                throw GatewayStartError("cannot listen on unix:\(place.path): \(text(error))")
            }
        }
    }

    private static func text(_ error: SystemError) -> String {
        switch error.code {
        case ENOTSOCK: "there is a file that is no socket; move it away"
        case EADDRINUSE: "another program listens there"
        case ENOENT: "its folder does not exist"
        case EACCES, EPERM: "\(error); the gateway's user may not write to the folder, or to the socket that is there"
        default: error.description
        }
    }

    /// Removes a socket that somebody left behind.
    private static func makeRoom(at path: String, _ address: SocketAddress) throws(SystemError) {
        guard let found = try look(at: path) else { return }
        guard found.isSocket else { throw SystemError("bind", ENOTSOCK) }
        let probe = try Socket(family: AF_UNIX)
        switch probe.connect(to: address) {
        case .connected, .inProgress, .queueFull:
            throw SystemError("bind", EADDRINUSE)
        case .failed(let error):
            // EPROTOTYPE: a socket of another kind, which is as alive as any.
            if error.code == EPROTOTYPE { throw SystemError("bind", EADDRINUSE) }
            guard error.code == ECONNREFUSED || error.code == ENOENT else { throw error }
        }
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemError("unlink") }
    }

    private static func look(at path: String) throws(SystemError) -> (identity: Identity, isSocket: Bool)? {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw SystemError("lstat")
        }
        let identity = Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
        return (identity, status.st_mode & S_IFMT == S_IFSOCK)
    }

    /// Removes the file, unless another has taken its place.
    func remove() {
        Self.withLock(onFolderOf: path) {
            guard let found = try? Self.look(at: path), found.identity == identity else { return }
            _ = unlink(path)
        }
    }

    /// Runs `body` while no other process does the same for this folder, so that of two who find a socket left behind only
    /// one replaces it. A folder that cannot be locked soon is used all the same.
    private static func withLock<Result, Failure: Error>(
        onFolderOf path: String,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let number = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if number >= 0 { _ = close(number) } }
        for _ in 0..<100 where number >= 0 {
            if flock(number, LOCK_EX | LOCK_NB) == 0 { break }
            poll(nil, 0, 10)
        }
        return try body()
    }
}
