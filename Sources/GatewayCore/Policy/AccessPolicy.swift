// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What a client may do: the union of its rules. What no rule allows is denied.
public struct AccessPolicy: Sendable {
    /// Allows calling some commands of, and listening to some events of, some channels.
    public struct Rule: Sendable {
        /// The channel's name.
        public var channel: Glob
        /// Commands that may be called there.
        public var call: [Glob]
        /// Events that may be listened to there.
        public var listen: [Glob]

        /// Makes a rule.
        public init(channel: Glob, call: [Glob] = [], listen: [Glob] = []) {
            self.channel = channel
            self.call = call
            self.listen = listen
        }
    }

    /// What a request wants; the rights are separate.
    public enum Request: Sendable, Hashable {
        /// Call a command.
        case call
        /// Listen to an event.
        case listen
    }

    /// The rules; their order does not matter.
    public var rules: [Rule]

    /// Makes a policy; without rules it denies everything.
    public init(rules: [Rule] = []) {
        self.rules = rules
    }

    /// Whether some rule allows the request. Names are UTF-8 bytes.
    public func allows(_ request: Request, channel: Span<UInt8>, name: Span<UInt8>) -> Bool {
        for rule in rules where rule.channel.matches(channel) {
            let patterns = request == .call ? rule.call : rule.listen
            for pattern in patterns where pattern.matches(name) {
                return true
            }
        }
        return false
    }
}
