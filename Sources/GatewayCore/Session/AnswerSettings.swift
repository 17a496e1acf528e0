// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What clients are told in answers that the gateway makes or changes.
public struct AnswerSettings: Sendable, Hashable {
    /// How a denied call is answered.
    public enum Denial: String, Sendable, Hashable, CaseIterable {
        /// At once, with an error of the name `AccessDenied`.
        case accessDenied = "access-denied"
        /// As a VS Code server answers for a channel that it does not have: after a second.
        case unknownChannel = "unknown-channel"
    }

    /// How a denied call is answered.
    public var denial: Denial
    /// Whether the answer to a denied call has the name of the rule that denied it.
    public var namesRule: Bool
    /// Whether stack traces in a server's errors reach the client.
    public var passesStack: Bool

    /// Makes settings; the defaults are those of docs/configuration.md.
    public init(denial: Denial = .accessDenied, namesRule: Bool = false, passesStack: Bool = false) {
        self.denial = denial
        self.namesRule = namesRule
        self.passesStack = passesStack
    }
}
