// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Glibc

/// What is said to a person, apart from logs.
enum Console {
    /// Whether standard error is a terminal.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes a line to standard output, at once.
    static func say(_ line: String) {
        print(line)
        fflush(nil)
    }

    /// Writes bytes to standard output, at once; waits while whoever reads it is slow.
    ///
    /// - Throws: ``OutputClosed`` when nobody reads it any more; ``CommandFailure`` when it cannot be written.
    static func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
                continue
            }
            switch errno {
            case EINTR: break
            case EAGAIN:
                var poll = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                _ = Glibc.poll(&poll, 1, -1)
            case EPIPE: throw OutputClosed()
            case let code:
                let message = "standard output cannot be written: \(String(cString: strerror(code)))"
                throw CommandFailure(message, .inputOutput)
            }
        }
    }

    /// Writes a line to standard output, at once, as ``write(_:)`` does.
    static func write(line: String) throws {
        try write(Array("\(line)\n".utf8))
    }

    /// Writes a line to standard error.
    static func complain(_ line: String) {
        Array("\(line)\n".utf8).withUnsafeBytes { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Nobody reads standard output any more, such as behind `| head -1`: a reason to end, and none to complain.
struct OutputClosed: Error {}
