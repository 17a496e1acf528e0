// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The names that calls and listens are counted by: those that rules are written with, and nothing that strangers say.
///
/// Names keep their numbers when a later configuration adds others, so that counters live through a reload. There are at
/// most ``most`` of them; requests for which there is no name are counted as others.
public struct RequestNames: Sendable {
    /// What one counter is about.
    public struct Name: Sendable, Hashable {
        /// What is wanted.
        public var request: AccessPolicy.Request
        /// Who asks.
        public var direction: AccessPolicy.Direction
        /// The channel; nil for all others.
        public var channel: [UInt8]?
        /// The command or event; nil for all others.
        public var name: [UInt8]?
    }

    /// How many names there may be.
    public static let most = 1000

    /// The names, by their numbers. The first four are for what has no other name.
    public private(set) var names: [Name] = []

    /// Scopes 0 to 3 hold the channels of a right, the others the names of a channel; 4 to 7 those of other channels.
    private var table = NameTable()
    /// For each scope of names the number of what is not in it.
    private var others: [Int32] = []

    /// Makes the four that there always are.
    public init() {
        for right in 0..<4 {
            let (request, direction) = Self.right(right)
            others.append(Int32(right))
            names.append(Name(request: request, direction: direction, channel: nil, name: nil))
        }
    }

    /// Adds the names of a configuration's rules that are not there yet. Patterns name nothing.
    public mutating func add(_ configuration: GatewayConfiguration) {
        for client in configuration.clients {
            for rule in client.policy.rules { add(rule) }
        }
    }

    private mutating func add(_ rule: AccessPolicy.Rule) {
        for request in AccessPolicy.Request.allCases {
            let patterns = rule.patterns(for: request)
            guard !patterns.isEmpty else { continue }
            let channel = rule.channel.literal
            guard let scope = scope(request, rule.direction, channel) else { return }
            for name in patterns.compactMap(\.literal) { add(name, channel, scope, request, rule.direction) }
        }
    }

    /// The scope of a channel's names, made if need be; nil when there is no room.
    private mutating func scope(
        _ request: AccessPolicy.Request,
        _ direction: AccessPolicy.Direction,
        _ channel: [UInt8]?
    ) -> Int32? {
        let right = Int32(RuleTable.right(request, direction))
        guard let channel else { return 4 + right }
        if let known = find(channel, scope: right) { return known }
        guard names.count < Self.most, channel.count <= AccessPolicy.longestName else { return nil }
        let scope = Int32(4 + others.count)
        others.append(Int32(names.count))
        names.append(Name(request: request, direction: direction, channel: channel, name: nil))
        table.insert(channel, scope: right, value: scope)
        return scope
    }

    private mutating func add(
        _ name: [UInt8],
        _ channel: [UInt8]?,
        _ scope: Int32,
        _ request: AccessPolicy.Request,
        _ direction: AccessPolicy.Direction
    ) {
        guard names.count < Self.most, name.count <= AccessPolicy.longestName, find(name, scope: scope) == nil else {
            return
        }
        table.insert(name, scope: scope, value: Int32(names.count))
        names.append(Name(request: request, direction: direction, channel: channel, name: name))
    }

    private func find(_ name: [UInt8], scope: Int32) -> Int32? {
        var steps = 0
        return table.find(name.span, hash: ByteHash(name.span), scope: scope, steps: &steps)
    }

    /// The number of the name that a request is counted by. Allocates nothing.
    public func number(
        _ request: AccessPolicy.Request,
        _ direction: AccessPolicy.Direction,
        channel: Span<UInt8>,
        name: Span<UInt8>
    ) -> Int32 {
        number(request, direction, channel: channel, name: name, NameHashes(channel: channel, name: name))
    }

    /// The same, where the hashes of the names are known.
    func number(
        _ request: AccessPolicy.Request,
        _ direction: AccessPolicy.Direction,
        channel: Span<UInt8>,
        name: Span<UInt8>,
        _ hashes: NameHashes
    ) -> Int32 {
        let right = Int32(RuleTable.right(request, direction))
        guard channel.count <= AccessPolicy.longestName, name.count <= AccessPolicy.longestName else { return right }
        var steps = 0
        let scope = table.find(channel, hash: hashes.channel, scope: right, steps: &steps) ?? 4 + right
        return table.find(name, hash: hashes.name, scope: scope, steps: &steps) ?? others[Int(scope) - 4]
    }

    private static func right(_ number: Int) -> (AccessPolicy.Request, AccessPolicy.Direction) {
        (number % 2 == 0 ? .call : .listen, number < 2 ? .fromClient : .fromServer)
    }
}
