// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL
import Synchronization

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// A file that the secrets of connections are written to, in the format of NSS that Wireshark reads.
final class KeyLog: Sendable {
    private let path: String
    private let descriptor: Int32
    /// One line after the other, whatever thread it comes from.
    private let lock = Mutex(())

    init(path: String) throws(TLSConfigurationError) {
        // O_NONBLOCK: a pipe without a reader must not hold up the start.
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let descriptor = path.utf8.contains(0) ? -1 : open(path, flags, 0o600)
        guard descriptor >= 0 else {
            let reason = errno == ELOOP ? "it is a symbolic link" : String(cString: strerror(errno))
            throw TLSConfigurationError(file: path, message: "the key log cannot be opened: \(reason)")
        }
        if let problem = Self.problem(descriptor, path) {
            close(descriptor)
            throw TLSConfigurationError(file: path, message: problem)
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        close(self.descriptor)
    }

    /// What a log must say.
    var note: String {
        "TLS secrets are written to \(self.path): anybody who reads it can read all traffic; for debugging only"
    }

    /// - Parameter line: Without its end. What cannot be written is lost.
    func write(_ line: UnsafePointer<CChar>) {
        var newline = UInt8(ascii: "\n")
        withUnsafeMutablePointer(to: &newline) { newline in
            let parts = [
                iovec(iov_base: UnsafeMutableRawPointer(mutating: line), iov_len: strlen(line)),
                iovec(iov_base: newline, iov_len: 1),
            ]
            self.lock.withLock { _ in
                _ = writev(self.descriptor, parts, Int32(parts.count))
            }
        }
    }

    private static func problem(_ descriptor: Int32, _ path: String) -> String? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return "the key log is not a regular file"
        }
        guard status.st_uid == geteuid() else {
            return "the key log belongs to somebody else; remove it or choose another"
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = FileMode.text(status.st_mode)
            return "the key log is open to others than its owner (mode \(mode)); chmod 600 \(path), or remove it"
        }
        return nil
    }
}

extension KeyLog {
    /// Has the connections of a context tell their secrets: to its key log, if it has one, and to themselves.
    static func install(in pointer: OpaquePointer) {
        SSL_CTX_set_keylog_callback(pointer, tellSecret)
    }
}

private func tellSecret(ssl: OpaquePointer?, line: UnsafePointer<CChar>?) {
    if let line, let session = TLSSession.of(ssl) {
        session.context.keyLog?.write(line)
        session.noteSecret(line)
    }
}
