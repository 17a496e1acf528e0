// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension AccessPolicy {
    /// What a rule does with the requests it is about.
    public enum Effect: Sendable, Hashable {
        /// Lets them pass, unless another rule denies them.
        case allow
        /// Denies them, whatever else allows them.
        case deny
    }

    /// Allows, or denies, calling some commands of and listening to some events of some channels.
    public struct Rule: Sendable, Hashable {
        /// What the rule does.
        public var effect: Effect
        /// Who asks.
        public var direction: Direction
        /// The channel's name.
        public var channel: Glob
        /// Commands.
        public var call: [Glob]
        /// Events.
        public var listen: [Glob]
        /// What must hold of the argument: all of them.
        public var conditions: [ArgumentCondition]
        /// How long a call that the rule allows may take, in nanoseconds; nil for any time.
        public var deadline: UInt64?
        /// What the operator calls the rule.
        public var name: String?
        /// Where in the configuration it is, such as `clients[0].allow[1]`; empty when it is not from a file.
        public var place: String
        /// The line in the configuration's file.
        public var line: Int?

        /// Makes a rule.
        public init(
            _ effect: Effect = .allow,
            _ direction: Direction = .fromClient,
            channel: Glob,
            call: [Glob] = [],
            listen: [Glob] = [],
            conditions: [ArgumentCondition] = [],
            deadline: UInt64? = nil,
            name: String? = nil,
            place: String = "",
            line: Int? = nil
        ) {
            self.effect = effect
            self.direction = direction
            self.channel = channel
            self.call = call
            self.listen = listen
            self.conditions = conditions
            self.deadline = deadline
            self.name = name
            self.place = place
            self.line = line
        }

        /// The patterns for names of what a request wants.
        func patterns(for request: Request) -> [Glob] {
            switch request {
            case .call: call
            case .listen: listen
            }
        }

        /// Whether all conditions hold of an argument.
        func judge(_ argument: Span<UInt8>, _ reader: inout ArgumentReader) -> Judgement {
            var result = Judgement.holds
            for condition in conditions {
                result = result.and(condition.judge(argument, &reader))
                if result == .fails { break }
            }
            return result
        }
    }
}
