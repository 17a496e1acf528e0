// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// stand-in
public struct AuditRequest: Sendable, Equatable {
    public enum Outcome: String, Sendable {
        case ok, error, denied, cancelled, deadline, busy, limit, noRoute, unavailable, lost, open, ended, closed
    }
    public struct Shadow: Sendable, Equatable {
        public var isAllowed: Bool
        public var rule: String?
        public init(isAllowed: Bool, rule: String?) {
            self.isAllowed = isAllowed
            self.rule = rule
        }
    }
    public var request: AccessPolicy.Request
    public var direction: AccessPolicy.Direction
    public var channel: [UInt8]
    public var name: [UInt8]
    public var argument: [UInt8]
    public var upstream: String?
    public var outcome: Outcome
    public var rule: String?
    public var startedAt: UInt64
    public var endedAt: UInt64
    public var requestBytes: Int
    public var answerBytes: Int
    public var events: Int
    public var shadow: Shadow?
}
