// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Glibc

/// The file of `--record`. What passes may be secret, so a new one is for its owner only.
final class RecordingFile {
    private let path: String
    private let descriptor: Int32
    private var hasFailed = false

    /// Makes the file; what was in it is gone.
    init(_ path: String) throws {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CommandFailure("\(path) cannot be written: \(String(cString: strerror(errno)))", .failure)
        }
    }

    deinit {
        close(descriptor)
    }

    /// Writes a line. When that fails it says so once, and writes nothing more.
    func write(_ record: TraceRecord) {
        guard !hasFailed else { return }
        var rest = Array("\(record.line)\n".utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                hasFailed = true
                let reason = String(cString: strerror(errno))
                return Console.complain("error: \(path) cannot be written: \(reason); the recording ends here")
            }
            rest = rest.dropFirst(count)
        }
    }
}
