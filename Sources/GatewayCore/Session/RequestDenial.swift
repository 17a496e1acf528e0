// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

extension GatewaySession {
    /// A request that did not pass.
    public struct Denial: Sendable, Equatable, CustomStringConvertible {
        /// Why.
        public enum Cause: Sendable, Equatable {
            /// A rule denied it, or none allowed it.
            case policy
            /// A limit, by its name in the configuration.
            case limit(String)
            /// The queue of its server is full.
            case busy
            /// No server has its channel.
            case noRoute
            /// Its server is not there.
            case unavailable
            /// The gateway stops.
            case draining
        }

        /// What it wanted.
        public var request: AccessPolicy.Request
        /// The channel, shortened and escaped for logs.
        public var channel: String
        /// The command or event, shortened and escaped for logs.
        public var name: String
        /// The rule that denied it; nil when no rule allows it, or the cause is another.
        public var rule: AccessPolicy.RuleReference?
        /// Why it did not pass.
        public var cause = Cause.policy

        /// `call of 'channel.command'`.
        public var description: String {
            "\(request == .call ? "call of" : "listen to") '\(channel).\(name)'"
        }

        /// Why, for a log.
        public var reason: String {
            switch cause {
            case .policy: rule == nil ? "no rule allows it" : "a rule denies it"
            case .limit(let name): "it is beyond \(name)"
            case .busy: "the server's queue is full"
            case .noRoute: "no server has the channel"
            case .unavailable: "the server is not there"
            case .draining: "the gateway is draining"
            }
        }
    }
}

extension GatewaySession.Denial.Cause {
    /// What the audit log calls it.
    var outcome: AuditRequest.Outcome {
        switch self {
        case .policy: .denied
        case .limit: .limit
        case .busy: .busy
        case .noRoute: .noRoute
        case .unavailable: .unavailable
        case .draining: .draining
        }
    }
}
