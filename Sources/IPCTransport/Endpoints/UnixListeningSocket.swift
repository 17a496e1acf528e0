// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A listening Unix socket and its file.
struct UnixListeningSocket: Sendable {
    /// The socket, which belongs to whoever takes this.
    let descriptor: Int32
    let path: String
    private let identity: SystemCalls.FileIdentity?

    /// Listens at a path; see ``ServerEndpoint/unix(_:mode:owner:)``.
    static func open(
        path: String,
        mode: UInt32,
        owner: ServerEndpoint.Owner?,
        backlog: Int32
    ) throws(ListenError) -> UnixListeningSocket {
        try checkLength(path)
        do {
            return try SystemCalls.withLock(onDirectoryOf: path) {
                try makeRoom(at: path)
                let descriptor = try SystemCalls.makeUnixSocket()
                do {
                    try SystemCalls.listen(descriptor, at: path, mode: mode, owner: owner, backlog: backlog)
                    let identity = try SystemCalls.identity(of: path)
                    return UnixListeningSocket(descriptor: descriptor, path: path, identity: identity)
                } catch {
                    SystemCalls.close(descriptor)
                    // What was bound but cannot be listened at is nobody's: the next who comes replaces it.
                    throw error
                }
            }
        } catch let error as ListenError {
            throw error
        } catch let error as SystemCalls.Failure {
            let code: ListenError.Code = error.code == SystemCalls.addressInUse ? .inUse : .failed
            throw ListenError(code, "cannot listen on unix:\(path): \(error.text)")
        } catch {
            throw ListenError(.failed, "cannot listen on unix:\(path): \(error)")
        }
    }

    /// A path that is too long would be cut by the system.
    static func checkLength(_ path: String) throws(ListenError) {
        guard let problem = lengthProblem(path) else { return }
        throw ListenError(.pathTooLong, problem)
    }

    /// What is wrong with the length of a path, or nil.
    static func lengthProblem(_ path: String) -> String? {
        let count = path.utf8.count
        if count == 0 { return "a socket's path is missing" }
        guard count > SystemCalls.pathLimit else { return nil }
        return "unix:\(path): the path has \(count) bytes, and a socket's has at most \(SystemCalls.pathLimit)"
    }

    private static func makeRoom(at path: String) throws {
        guard let identity = try SystemCalls.identity(of: path) else { return }
        guard identity.isSocket else {
            throw ListenError(.notASocket, "cannot listen on unix:\(path): there is a file that is not a socket")
        }
        guard try !SystemCalls.isListening(path) else {
            throw ListenError(.inUse, "cannot listen on unix:\(path): another server listens there")
        }
        try SystemCalls.unlink(path)
    }

    /// Removes the file, unless another has taken its place.
    func removeFile() {
        SystemCalls.withLock(onDirectoryOf: path) {
            guard let identity, (try? SystemCalls.identity(of: path)) == identity else { return }
            try? SystemCalls.unlink(path)
        }
    }
}
