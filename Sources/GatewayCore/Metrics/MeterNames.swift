// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What counters are about, by numbers that a later configuration does not change.
public struct MeterNames: Sendable {
    /// How many local servers have counters of their own; those that come later share the first place.
    public static let mostUpstreams = 400

    /// Calls and listens.
    public private(set) var requests = RequestNames()
    /// Local servers. The first place is for those that there was no room for.
    public private(set) var upstreams: [String] = [""]

    /// Makes the names of a configuration.
    public init(_ configuration: GatewayConfiguration) {
        add(configuration)
    }

    /// No names.
    public init() {}

    /// Adds the names of another configuration.
    public mutating func add(_ configuration: GatewayConfiguration) {
        requests.add(configuration)
        for upstream in configuration.upstreams where upstreams.count <= Self.mostUpstreams {
            if number(ofUpstream: upstream.name) == 0 { upstreams.append(upstream.name) }
        }
    }

    /// The number of a local server; 0 for one that has none of its own.
    public func number(ofUpstream name: String) -> Int {
        upstreams.indices.dropFirst().first { upstreams[$0].utf8.elementsEqual(name.utf8) } ?? 0
    }
}
