// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol
import TLSEngine
import Testing

@Suite("Identities learned from audit logs")
struct LearnedIdentityTests {
    /// What the gateway writes of clients of a configuration that connect, one after the other, and call once.
    private static func log(_ entries: String, _ peers: [PeerIdentity]) throws -> [String] {
        let view = try #require(PolicyView(try PolicyText.configuration("clients: \(entries)")))
        var lines: [String] = []
        for (index, peer) in peers.enumerated() {
            let resolution = try view.subject(of: peer).resolution
            guard case .assigned(let context) = resolution.grant else { continue }
            let connection = AuditConnection(
                id: "c\(index)",
                listener: "l",
                identityField: resolution.field.rawValue,
                identity: resolution.value,
                match: resolution.match,
                context: context,
                isContextAssigned: true,
                entry: "clients[\(resolution.entry)]",
                generation: 1
            )
            lines.append(String(decoding: AuditLine.open(connection, at: 0, wallClockOffset: 0), as: UTF8.self))
            let call = AuditSample.request(name: Array("get\(index)".utf8))
            lines.append(String(decoding: try AuditSample.line(call, connection), as: UTF8.self))
            let close = AuditClose(reason: "finished", calls: 1, openedAt: 0, closedAt: 1)
            lines.append(String(decoding: AuditLine.close(connection, close, wallClockOffset: 0), as: UTF8.self))
        }
        return lines
    }

    private static func peer(_ uid: UInt32, _ groups: [UInt32] = [5]) -> PeerIdentity {
        .local(
            LocalPeer(
                processID: 7,
                userID: uid,
                groupID: groups[0],
                supplementaryGroupIDs: groups,
                executable: .path("/usr/bin/python3")
            )
        )
    }

    @Test("are all that the entry went by: a program of two users is two clients, each with its own context")
    func users() throws {
        let entries = #"[{ match: { uid: "*", executable: /usr/bin/python3 }, context: "app:{uid}", allow: [] }]"#
        let learner = try PolicyLearnerTests.learner(try Self.log(entries, [Self.peer(1000), Self.peer(0)]))
        let yaml = try learner.yaml()
        #expect(learner.warnings.isEmpty, "\(learner.warnings)")
        let view = try #require(PolicyView(try PolicyText.configuration(yaml)))
        for (uid, context, own, other) in [(1000, "app:1000", "get0", "get1"), (0, "app:0", "get1", "get0")] {
            let subject = try view.subject(of: Self.peer(UInt32(uid)))
            #expect(subject.resolution.grant == .assigned(IPCValue(context)))
            #expect(subject.client.policy.allowsCall("storage", own))
            #expect(!subject.client.policy.allowsCall("storage", other))
        }
        #expect(throws: CloseReason.self) { try view.subject(of: Self.peer(1)) }
    }

    @Test("of a group, or a program, are those of its users who came")
    func groups() throws {
        let entries = #"[{ match: { gid: ["27", "100"] }, context: staff, allow: [] }]"#
        let peers = [Self.peer(1000, [5, 100, 27]), Self.peer(1001, [27])]
        let yaml = try PolicyLearnerTests.learner(try Self.log(entries, peers)).yaml()
        #expect(yaml.contains(#"- match: { uid: "1000", gid: "100" }"#), "\(yaml)")
        #expect(yaml.contains(#"- match: { uid: "1001", gid: "27" }"#), "\(yaml)")
        let view = try #require(PolicyView(try PolicyText.configuration(yaml)))
        #expect(throws: CloseReason.self) { try view.subject(of: Self.peer(1002, [27])) }
    }

    @Test("of a certificate are all fields of the entry, and those of the context")
    func certificates() throws {
        func peer(_ uri: String, _ name: String) -> PeerIdentity {
            .certificate(CertificateIdentity(commonNames: [name], uris: ["spiffe://x/\(uri)"]))
        }
        for match in [#"uri: "spiffe://x/*", commonName: "*""#, #"uri: "spiffe://x/*""#] {
            let entries = "[{ match: { \(match) }, context: \"{commonName}\", allow: [] }]"
            let lines = try Self.log(entries, [peer("a", "one"), peer("a", "two")])
            let view = try #require(
                PolicyView(try PolicyText.configuration(try PolicyLearnerTests.learner(lines).yaml()))
            )
            #expect(try view.subject(of: peer("a", "one")).resolution.grant == .assigned("one"))
            #expect(try view.subject(of: peer("a", "two")).resolution.grant == .assigned("two"))
            #expect(throws: CloseReason.self) { try view.subject(of: peer("a", "three")) }
            #expect(throws: CloseReason.self) { try view.subject(of: peer("b", "one")) }
        }
    }

    @Test("of logs whose lines do not say it are the deciding field alone, with a warning")
    func unsure() throws {
        let who = #""connection":"1","identityField":"executable","identity":"/usr/bin/python3","context":"a""#
        let lines = [
            #"{"v":1,"type":"open",\#(who),"contextAssigned":true}"#,
            #"{"v":1,"type":"call",\#(who),"from":"client","channel":"c","command":"d","outcome":"ok","rule":"r"}"#,
        ]
        let whole = try PolicyLearnerTests.learner(lines)
        #expect(try whole.yaml().contains("match: { executable: /usr/bin/python3 }"))
        #expect(whole.warnings.contains { $0.contains("so whoever has this matches") })
        let half = try PolicyLearnerTests.learner([lines[1]])
        #expect(try half.yaml().contains("call: [d]"))
        #expect(half.warnings.contains { $0.contains("so whoever has this matches") })
    }

    @Test("with several assigned contexts are an error that names the lines")
    func conflict() throws {
        func open(_ number: Int, _ context: String) -> [UInt8] {
            let line =
                #"{"v":1,"type":"open","connection":"\#(number)","identityField":"uid","identity":"7","#
                + #""match":{"uid":["7"]},"context":"\#(context)","contextAssigned":true}"#
            return Array(line.utf8)
        }
        var learner = PolicyLearner()
        try learner.add(open(1, "a"), at: "x:1")
        #expect(try learner.yaml().contains("context: a\n"))
        try learner.add(open(2, "b"), at: "x:2")
        let error = #expect(throws: PolicyLearner.ConflictError.self) { try learner.yaml() }
        #expect(error?.description.hasPrefix("x:1, x:2: uid '7' has several contexts ('a', 'b')") == true)
    }

    @Test("without open lines do not get to choose between contexts that may have been assigned")
    func unknownContexts() throws {
        let lines = ["a", "b"].map { context in
            #"{"v":1,"type":"call","connection":"\#(context)","identityField":"uid","identity":"7","context":"\#(context)","#
                + #""from":"client","channel":"c","command":"d","outcome":"ok","rule":"r"}"#
        }
        let learner = try PolicyLearnerTests.learner(lines)
        let error = #expect(throws: PolicyLearner.ConflictError.self) { try learner.yaml() }
        #expect(error?.description.contains("no open line says") == true)
    }
}
