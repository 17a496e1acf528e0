// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `idempotent:` of a server.
extension ConfigurationDecoder {
    /// The calls that are repeated.
    ///
    /// - Parameter whenLost: What is written beside it of the server's loss.
    mutating func decodeIdempotent(
        _ upstream: ConfigurationReader.Section,
        whenLost: GatewayConfiguration.Upstream.Loss?
    ) -> IdempotentCalls? {
        let path = upstream.path(of: "idempotent")
        guard let node = upstream.members["idempotent"],
            let items = reader.list(node, path, of: "calls, as in  - { channel: storage, call: [get] }")
        else { return nil }
        if whenLost != .redial {
            let message =
                "calls are repeated when a lost server is back, and its clients wait for that only with 'whenLost: redial';"
                + " add it, or leave this out"
            reader.report(node, path, message)
        }
        if items.isEmpty { reader.report(node, path, "is empty; leave it out if no call may be repeated") }
        return IdempotentCalls(items.compactMap { decodeIdempotentCalls($0.node, $0.path) })
    }

    private mutating func decodeIdempotentCalls(_ node: Node, _ path: String) -> (channel: Glob, commands: [Glob])? {
        guard let section = reader.section(node, path, known: ["channel", "call"]) else { return nil }
        let channel = reader.required(section, "channel", "a pattern for the channel")
            .flatMap { decodePattern($0, section.path(of: "channel"), "a pattern for the channel") }
        let what = "patterns for the commands that may be called twice"
        let commands = reader.required(section, "call", what)
            .flatMap { decodePatterns($0, section.path(of: "call"), what) }
        if let node = section.members["call"], commands?.isEmpty == true {
            reader.report(node, section.path(of: "call"), "is empty; expected \(what)")
        }
        guard let channel, let commands else { return nil }
        return (channel, commands)
    }
}
