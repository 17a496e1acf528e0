// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Why a persistent session cannot go on.
public struct SessionFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The reason, as a word for the peer, for logs and for counters.
    public var code: SessionCode
    /// The same as a sentence for people; it holds numbers, and nothing that a peer wrote.
    public var message: String

    /// Makes a failure.
    public init(_ code: SessionCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The code and the sentence.
    public var description: String {
        "\(code.rawValue): \(message)"
    }

    /// The refusal of a frame by its header.
    init(_ error: WireError) {
        self.init(error.code == .frameTooLarge ? .limit : .malformed, error.description)
    }
}
