// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Why a session ended or was refused, as a word that both ends know: it travels as `code` in the Control message
/// `{"type":"error","code":"…","reason":"…"}`.
public struct SessionCode: RawRepresentable, Sendable, Hashable {
    /// The word, in kebab case.
    public var rawValue: String

    /// Makes a code of a word; one that this version does not know is legal.
    public init(rawValue: String) {
        self.rawValue = rawValue
    }

    /// The version asked for is not spoken here.
    public static let unsupportedVersion = SessionCode(rawValue: "unsupported-version")
    /// Something that the protocol does not allow.
    public static let malformed = SessionCode(rawValue: "malformed")
    /// Something that this peer may not do.
    public static let notAllowed = SessionCode(rawValue: "not-allowed")
    /// No session has this token.
    public static let unknownSession = SessionCode(rawValue: "unknown-session")
    /// The session was given up because nobody came back in time.
    public static let sessionExpired = SessionCode(rawValue: "session-expired")
    /// The session belongs to somebody else.
    public static let notYours = SessionCode(rawValue: "not-yours")
    /// The two ends do not agree any more on what was sent, or what is missing cannot be had again.
    public static let stateLost = SessionCode(rawValue: "state-lost")
    /// More than a bound allows.
    public static let limit = SessionCode(rawValue: "limit")
    /// Who had the session may not have it any more.
    public static let revoked = SessionCode(rawValue: "revoked")
    /// The other end is about to stop.
    public static let draining = SessionCode(rawValue: "draining")
    /// The local server cannot be reached.
    public static let upstreamUnavailable = SessionCode(rawValue: "upstream-unavailable")
    /// The sequence numbers are used up; a new session has new ones.
    public static let sequenceExhausted = SessionCode(rawValue: "sequence-exhausted")
    /// The session goes on over another connection of the same client.
    public static let takenOver = SessionCode(rawValue: "taken-over")
    /// An operator of the gateway has closed the session.
    public static let closedByOperator = SessionCode(rawValue: "closed-by-operator")

    /// The codes that this version knows.
    public static let all: [SessionCode] = [
        .unsupportedVersion, .malformed, .notAllowed, .unknownSession, .sessionExpired, .notYours, .stateLost, .limit,
        .revoked, .draining, .upstreamUnavailable, .sequenceExhausted, .takenOver,
        .closedByOperator,
    ]
}
