// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport

/// The gateway, one way or another.
struct Gateway: Candidate {
    var name = "ipc-gateway"
    var title = "ipc-gateway"
    var groups: Set<Work.Group> = Set(Work.Group.allCases)
    var isPersistent = false
    /// Rules by name; nil for one rule that allows everything.
    var rules: Int?

    var missing: String? { nil }

    static let variants = [
        Gateway(),
        Gateway(name: "rules-10", title: "ipc-gateway, 10 rules", groups: [.calls], rules: 10),
        Gateway(name: "rules-10000", title: "ipc-gateway, 10,000 rules", groups: [.calls], rules: 10_000),
        Gateway(
            name: "persistent",
            title: "ipc-gateway, persistent protocol",
            groups: [.calls, .bulk],
            isPersistent: true
        ),
    ]

    func command(_ scene: Scene, port: UInt16) throws -> [String] {
        var configuration = GatewayConfigurationText(
            certificate: scene.certificate,
            clientCA: scene.clientCA,
            upstreams: [.init(path: scene.upstream)]
        )
        configuration.address = "127.0.0.1:\(port)"
        configuration.threads = 1
        // Thousands of connections of one client are what is measured.
        configuration.limits["perIdentity"] = "{ clients: 20000 }"
        configuration.clients = [entry]
        let file = try scene.directory.write(configuration.yaml, to: "\(name).yaml")
        return [scene.gateway, "run", "--config", file, "--log-format", "json", "--log-level", "warning"]
    }

    private var entry: String {
        guard let rules else { return Rules.everything(for: "bench") }
        // What is called is in the last one.
        let others = (1..<rules).map { "{ channel: \(Rules.channel($0)), call: [\(Rules.command($0))] }" }
        let allow = others + ["{ channel: bench, call: [e, u, d, f], listen: [t] }"]
        return "{ match: { commonName: bench }, context: bench, allow: [\(allow.joined(separator: ", "))] }"
    }
}

/// Passes bytes on, without TLS and without looking at them.
struct Floor: Candidate {
    static let name = "copy"

    /// The path of `load`.
    var load: String

    var name: String { Self.name }
    var title: String { "bare copy, no TLS" }
    var groups: Set<Work.Group> { Set(Work.Group.allCases) }
    var hasTLS: Bool { false }
    var missing: String? { nil }

    func command(_ scene: Scene, port: UInt16) -> [String] {
        [load, "copy", "--path", scene.upstream, "--port", "\(port)"]
    }
}
