// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A request, or a connection, that was refused.
public struct Refusal: Sendable, Hashable {
    /// What it was.
    public enum Kind: String, Sendable, Hashable {
        /// A call.
        case call
        /// A subscription.
        case listen
        /// A connection, before its context was accepted or because it may not be connected any more.
        case connection
    }

    /// When, in nanoseconds since 1970.
    public var time: Int64
    /// What it was.
    public var kind: Kind
    /// Who, as logs have it; nil where that is not known.
    public var identity: String?
    /// From where.
    public var peer: String?
    /// The channel, shortened and escaped for people; empty for a connection.
    public var channel = ""
    /// The command or event, likewise.
    public var name = ""
    /// Why: `policy`, a limit, or the reason that a connection ended.
    public var cause: String
    /// The rule that decided; nil when no rule did. For a connection, the sentence for people.
    public var rule: String?
}
