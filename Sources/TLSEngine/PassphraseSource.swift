// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Where the passphrase of an encrypted private key is. Nobody is ever asked for it.
public enum PassphraseSource: Sendable, Hashable, CustomStringConvertible {
    /// A file that holds the passphrase and nothing else; one newline at the end does not belong to it. It should be
    /// readable for its owner only; when it is not, `TLSContext.notes` says so.
    case file(String)
    /// An environment variable. Other programs of the same user can read it as long as the process lives.
    case environment(String)

    /// The place, for messages; never the passphrase.
    public var description: String {
        switch self {
        case .file(let path): "the file \(path)"
        case .environment(let name): "the environment variable \(name)"
        }
    }
}
