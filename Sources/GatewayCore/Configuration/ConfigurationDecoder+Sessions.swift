// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Yams

/// `sessions:`, and what an entry of `clients:` says of them.
extension ConfigurationDecoder {
    private static let countRange = 1...1 << 24
    private static let byteRange = 4096...1 << 40

    mutating func decodeSessions(_ document: ConfigurationReader.Section) -> SessionLimits {
        var sessions = SessionLimits()
        let known = [
            "offered", "graceTime", "windowMessages", "windowBytes", "detached", "keptBytes", "perIdentity",
        ]
        guard let node = document.members["sessions"], let section = reader.section(node, "sessions", known: known)
        else { return sessions }
        func path(_ key: String) -> String { section.path(of: key) }
        if let node = section.members["offered"] {
            sessions.isOffered = reader.boolean(node, path("offered")) ?? true
        }
        if let node = section.members["graceTime"] {
            sessions.graceTime = reader.duration(node, path("graceTime")) ?? 0
        }
        if let node = section.members["windowMessages"] {
            sessions.window.messages = reader.integer(node, path("windowMessages"), in: 16...1 << 24) ?? 0
        }
        if let node = section.members["windowBytes"] {
            sessions.window.bytes = reader.size(node, path("windowBytes"), in: Self.byteRange) ?? 0
        }
        decodeDetached(section, &sessions.detached, &sessions.keptBytes)
        if let node = section.members["perIdentity"],
            let shared = reader.section(node, path("perIdentity"), known: ["detached", "keptBytes"])
        {
            decodeDetached(shared, &sessions.perIdentity.detached, &sessions.perIdentity.keptBytes)
        }
        return sessions
    }

    private mutating func decodeDetached(
        _ section: ConfigurationReader.Section,
        _ count: inout Int,
        _ bytes: inout Int
    ) {
        if let node = section.members["detached"] {
            count = reader.integer(node, section.path(of: "detached"), in: Self.countRange) ?? 0
        }
        if let node = section.members["keptBytes"] {
            bytes = reader.size(node, section.path(of: "keptBytes"), in: Self.byteRange) ?? 0
        }
    }

    /// How long the sessions of an entry are kept; nil where it does not say.
    mutating func decodeGraceTime(_ client: ConfigurationReader.Section) -> UInt64? {
        guard let node = client.members["sessions"],
            let section = reader.section(node, client.path(of: "sessions"), known: ["graceTime"])
        else { return nil }
        return section.members["graceTime"].flatMap { reader.duration($0, section.path(of: "graceTime")) }
    }
}
