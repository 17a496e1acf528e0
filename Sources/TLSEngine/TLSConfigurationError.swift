// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Why a TLS configuration, or a file it names, cannot be used, and what to do about it.
public struct TLSConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file at fault, if it is one.
    public var file: String?
    /// What is wrong, for a person.
    public var message: String

    /// An error about a file, or about a setting when `file` is nil.
    public init(file: String? = nil, message: String) {
        self.file = file
        self.message = message
    }

    /// The file and the message in one line.
    public var description: String {
        if let file = self.file {
            return "\(file): \(self.message)"
        }
        return self.message
    }
}
