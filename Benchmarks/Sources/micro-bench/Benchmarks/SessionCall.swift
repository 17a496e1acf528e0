// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol

/// A call that passes to the server, and its answer on the way back: all that the gateway does between its sockets.
struct SessionCall: Benchmark {
    let name = "session-call"
    let operation = "judge and forward a call of 60 bytes by 10 rules, and its answer; count both"
    private var session: GatewaySession
    private let calls: [[UInt8]]
    private let answers: [[UInt8]]
    private var now: UInt64 = 1_000_000_000

    init() throws {
        let user = LocalPeer(userID: 1_000, groupIDs: [1_000], executable: .unknown("made up"))
        let context = ContextRule.announced([try Rules.glob("*")])
        let entry = IdentityMap.Entry(match: [.uid: [try Rules.glob("1000")]], context: context)
        let terms = SessionTerms(
            resolution: try IdentityMap(fields: [.uid], entries: [entry]).resolve(.local(user)),
            policy: AccessPolicy(rules: try Rules.all(10)),
            upstreams: [GatewayConfiguration.Upstream(name: "main", unix: "main.sock")]
        )
        session = GatewaySession(terms)
        session.count(in: RequestMeter())
        let range: Range<UInt64> = 0..<16
        calls = range.map { id in
            let rule = Int(id) % 10
            let names = (channel: IPCString(Rules.channel(rule)), command: IPCString(Rules.command(rule)))
            return Sample.call(id: id, channel: names.channel, command: names.command, argument: "a small text")
        }
        answers = range.map { Frame.regular(IPCMessage.success(id: $0, result: "a small text")).encoded() }
        let announced = Frame.regular(IPCMessage.context("alice")).encoded()
        guard session.receivedFromClient(announced.span, at: now).action == .accept else {
            throw Failure("the session does not accept its client's context")
        }
        let initialize = GatewaySession.initialize
        _ = session.openUpstream(0)
        _ = session.receivedFromServer(initialize.span, at: now)
    }

    mutating func run(_ operations: Int) throws -> Int {
        var right = 0
        for operation in 0..<operations {
            let call = calls[operation % calls.count]
            let answer = answers[operation % calls.count]
            let passed = session.receivedFromClient(call.span, at: now)
            now += 100_000
            let returned = session.receivedFromServer(answer.span, at: now)
            if case .forward = passed.action, case .forward = returned.action { right += 1 }
        }
        return right
    }
}
