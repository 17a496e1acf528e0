// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file descriptor with one owner, closed when the owner is gone.
struct Descriptor: ~Copyable {
    let number: Int32

    init(_ number: Int32) {
        self.number = number
    }

    deinit {
        // Not repeated on EINTR: on Linux the descriptor is gone by then, and its number may be somebody else's.
        _ = Glibc.close(number)
    }
}

/// A system call that failed.
struct SystemError: Error, Sendable, CustomStringConvertible {
    var call: String
    var code: Int32

    init(_ call: String, _ code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    /// What the system says about the code.
    var reason: String {
        String(cString: strerror(code))
    }

    var description: String {
        "\(call): \(reason)"
    }
}
