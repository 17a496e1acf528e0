// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

/// A session between a client and its servers, all of them played by a test.
struct SessionBench {
    /// The configuration of a client that may call `test.echo`, `test.slow` and `other.get`, and listen to `test.onPing`
    /// and `other.onPing`; its servers may call `window.show` and listen to `window.onFocus`.
    static func terms(
        upstreams: [GatewayConfiguration.Upstream] = [GatewayConfiguration.Upstream(name: "main", unix: "main.sock")],
        grant: IdentityMap.ContextGrant = .assigned("remote:alice")
    ) -> SessionTerms {
        let rules = [
            AccessPolicy.Rule(
                channel: glob("test"),
                call: [glob("echo")],
                listen: [glob("onPing")],
                name: "echoing"
            ),
            AccessPolicy.Rule(channel: glob("test"), call: [glob("slow")], deadline: 5_000_000_000),
            AccessPolicy.Rule(channel: glob("other"), call: [glob("get")], listen: [glob("onPing")]),
            AccessPolicy.Rule(.deny, channel: glob("*"), call: [glob("shutdown")], name: "no shutdown"),
            AccessPolicy.Rule(
                .allow,
                .fromServer,
                channel: glob("window"),
                call: [glob("show")],
                listen: [glob("onFocus")]
            ),
        ]
        return SessionTerms(
            resolution: IdentityMap.Resolution(entry: 0, grant: grant, field: .commonName, value: "alice"),
            policy: AccessPolicy(rules: rules),
            upstreams: upstreams
        )
    }

    /// Two servers, of which `other` has the channel of its name.
    static let two = [
        GatewayConfiguration.Upstream(name: "main", unix: "main.sock", whenLost: .redial),
        GatewayConfiguration.Upstream(name: "other", unix: "o.sock", channels: [glob("other")], whenLost: .redial),
    ]

    static func glob(_ text: String) -> Glob {
        guard let glob = Glob(text) else { preconditionFailure("'\(text)' is not a pattern") }
        return glob
    }

    var session: GatewaySession
    /// The time.
    var now: UInt64 = 1_000_000_000

    /// A session whose client has announced its context.
    init(_ terms: SessionTerms = terms()) throws {
        session = GatewaySession(terms)
        let action = client(IPCMessage.context("x"))
        try #require(action == .accept)
    }

    /// A session with two servers that have been dialled and are ready.
    static func withTwo() throws -> SessionBench {
        var bench = try SessionBench(terms(upstreams: two))
        for index in 0..<2 {
            _ = bench.session.openUpstream(index)
            _ = bench.server(IPCMessage.initialize, index)
        }
        return bench
    }

    static func frame(_ message: [UInt8]) -> [UInt8] {
        Frame.regular(message).encoded()
    }

    /// What is done with a message of the client.
    mutating func client(_ message: [UInt8]) -> GatewaySession.ClientAction {
        session.receivedFromClient(Self.frame(message).span, at: now).action
    }

    /// What is done with a message of a server.
    mutating func server(_ message: [UInt8], _ index: Int = 0) -> GatewaySession.ServerAction {
        session.receivedFromServer(Self.frame(message).span, index, at: now).action
    }

    /// What is due a while later.
    mutating func wait(_ nanoseconds: UInt64) -> [GatewaySession.Task] {
        now += nanoseconds
        return session.expire(at: now)
    }

    static func call(_ id: UInt64, _ name: String = "test.echo") -> [UInt8] {
        let parts = name.split(separator: ".", maxSplits: 1).map { IPCString(String($0)) }
        return IPCMessage.call(id: id, channel: parts[0], command: parts[1], argument: 1)
    }

    static func listen(_ id: UInt64, _ name: String = "test.onPing") -> [UInt8] {
        let parts = name.split(separator: ".", maxSplits: 1).map { IPCString(String($0)) }
        return IPCMessage.listen(id: id, channel: parts[0], event: parts[1], argument: .undefined)
    }

    /// The messages in frames.
    static func messages(_ bytes: [UInt8]) throws -> [DecodedMessage] {
        var decoder = FrameDecoder()
        decoder.append(bytes.span)
        var messages: [DecodedMessage] = []
        while let frame = try decoder.next() { messages.append(try IPCMessage.decode(frame.body)) }
        return messages
    }

    /// The only message in frames.
    static func message(_ bytes: [UInt8]) throws -> DecodedMessage {
        let messages = try messages(bytes)
        try #require(messages.count == 1)
        return messages[0]
    }

    /// The id and the name of the error with which a call was answered instead of being passed.
    static func refusal(_ action: GatewaySession.ClientAction) throws -> (id: UInt64, name: String) {
        guard case .deny(let answer, _) = action else { throw UnexpectedAction(description: "\(action)") }
        return try failure(answer)
    }

    /// The id and the name of the error in a frame.
    static func failure(_ frame: [UInt8]) throws -> (id: UInt64, name: String) {
        guard case .failure(let id, let error) = try message(frame) else {
            throw UnexpectedAction(description: "the answer is not a failure")
        }
        return (id, error["name"]?.string?.description ?? "")
    }

    struct UnexpectedAction: Error, CustomStringConvertible {
        var description: String
    }
}
