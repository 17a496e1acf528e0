// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// What one client may have open and how fast it may be: in `limits:`, and in an entry of `clients:`.
extension ConfigurationDecoder {
    static let clientLimitKeys = ["callsOutstanding", "listens", "callsPerSecond", "bytesPerSecond", "perIdentity"]

    private static let countRange = 1...1 << 24
    /// Less than a read's worth would mean pauses of minutes.
    private static let rateRange = 4096...1 << 40

    /// The limits of a client entry, on top of those for everybody.
    mutating func decodeClientLimits(_ node: Node, _ path: String, _ base: ClientLimits) -> ClientLimits {
        guard let section = reader.section(node, path, known: Self.clientLimitKeys) else { return base }
        return decodeClientLimits(section, base)
    }

    mutating func decodeClientLimits(_ section: ConfigurationReader.Section, _ base: ClientLimits) -> ClientLimits {
        var limits = base
        limits.callsOutstanding = decodeCount(section, "callsOutstanding") ?? base.callsOutstanding
        limits.listens = decodeCount(section, "listens") ?? base.listens
        decodeRates(section, &limits.callsPerSecond, &limits.bytesPerSecond)
        if let node = section.members["perIdentity"],
            let shared = reader.section(
                node,
                section.path(of: "perIdentity"),
                known: ["clients", "callsOutstanding", "callsPerSecond", "bytesPerSecond"]
            )
        {
            limits.perIdentity.clients = decodeCount(shared, "clients") ?? base.perIdentity.clients
            limits.perIdentity.callsOutstanding =
                decodeCount(shared, "callsOutstanding") ?? base.perIdentity.callsOutstanding
            decodeRates(shared, &limits.perIdentity.callsPerSecond, &limits.perIdentity.bytesPerSecond)
        }
        return limits
    }

    private mutating func decodeRates(
        _ section: ConfigurationReader.Section,
        _ calls: inout Int?,
        _ bytes: inout Int?
    ) {
        if let node = section.members["callsPerSecond"] {
            calls = reader.integer(node, section.path(of: "callsPerSecond"), in: Self.countRange)
        }
        if let node = section.members["bytesPerSecond"] {
            bytes = reader.size(node, section.path(of: "bytesPerSecond"), in: Self.rateRange)
        }
    }

    private mutating func decodeCount(_ section: ConfigurationReader.Section, _ key: String) -> Int? {
        section.members[key].flatMap { reader.integer($0, section.path(of: key), in: Self.countRange) }
    }
}
