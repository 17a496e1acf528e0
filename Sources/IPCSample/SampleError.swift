// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Why the sample client or server cannot go on.
public struct SampleError: Error, Sendable, CustomStringConvertible {
    /// What happened.
    public let description: String

    /// Makes an error of a sentence.
    public init(_ description: String) {
        self.description = description
    }

    /// Makes an error of the last system call's failure.
    static func system(_ what: String, _ code: Int32 = errno) -> SampleError {
        SampleError("\(what): \(String(cString: strerror(code)))")
    }
}
