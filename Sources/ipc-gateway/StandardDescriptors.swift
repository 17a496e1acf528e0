// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Standard input, output and error.
enum StandardDescriptors {
    /// Opens nothing in the place of those that are closed: a socket that got such a number would be written into by
    /// whoever means to write for people.
    ///
    /// - Returns: Those that were closed.
    static func reserve() -> [Int32] {
        var closed: [Int32] = []
        for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(number, F_GETFD) < 0 {
            closed.append(number)
            // The lowest number that is free is this one.
            _ = open("/dev/null", O_RDWR)
        }
        return closed
    }
}
