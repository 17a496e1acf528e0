// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

@Suite("Two gateways behind HAProxy", .blocking)
struct BalancerTests {
    /// A client with a session, and what it has asked.
    private struct Member {
        var peer: PersistentPeer
        var asked: [(id: UInt64, value: IPCValue)] = []
        /// Why it has no session any more.
        var refusal: SessionCode?

        var keeper: String { peer.token.flatMap { SessionToken($0)?.keeper } ?? "" }
    }

    @Test(
        "one of which is killed under load: sessions of the other go on, its own end with a code",
        .enabled(if: HAProxy.program != nil, "haproxy is not installed (make test-dependencies)")
    )
    func kill() throws {
        let directory = try TemporaryDirectory()
        let server = try SampleServer(directory.file("s.sock"))
        var ports: [UInt16] = []
        let stage = try PeerStage(upstream: .at(directory.file("s.sock"))) { text in
            let port = try FreePort.find()
            ports.append(port)
            text.proxy = "{ from: [127.0.0.1] }"
            text.admin = "{ unix: admin.sock, address: \"127.0.0.1:\(port)\" }"
        }
        // Health checks ask whether the servers behind a gateway answer; peers are reached without the balancer.
        let balancer = try HAProxy(
            directory,
            [
                "balance roundrobin", "option redispatch", "retries 3", "option httpchk",
                "http-check send meth GET uri /health/ready ver HTTP/1.1 hdr Host 127.0.0.1 hdr Connection close",
                "default-server send-proxy-v2 check inter 200ms fall 1 rise 1",
            ]
                + zip(stage.members, ports).map { member, port in
                    "server \(member.name) 127.0.0.1:\(member.bench.gateway.port) port \(port)"
                }
        )
        let bench = stage.members[0].bench
        // An odd number, so that those who come back in turn come to the other one.
        var members = try (0..<7).map { _ in
            let peer = try PersistentPeer(port: balancer.port, tls: bench.tls(bench.alice()))
            try eventually("there is a session; \(balancer.child.errors) \(bench.gateway.log.suffix(3))") {
                (try? SessionStage.expectOK(try peer.connect())) != nil
            }
            try peer.announce()
            try peer.waitUntilReady()
            return Member(peer: peer)
        }
        #expect(Set(members.map(\.keeper)) == ["gw-a", "gw-b"])
        // Some of them through the other gateway than their own.
        try eventually("clients are led to the gateway that has their session") {
            for member in members {
                member.peer.cut(.reset)
                _ = try? member.peer.resume()
            }
            return !stage.members[1].log("client relayed").isEmpty
        }
        let clients = stage.members[0].log("client resumed its session").compactMap { $0["peer"] }
        #expect(clients.allSatisfy { !$0.isEmpty })

        for round in 0..<30 {
            for index in members.indices where members[index].refusal == nil {
                let value = IPCValue(round * 100 + index)
                let id = try members[index].peer.call("sample", "echo", value)
                members[index].asked.append((id, value))
            }
            if round == 10 { stage.members[1].bench.gateway.kill() }
            for index in members.indices { try settle(&members[index]) }
        }
        for member in members {
            #expect(member.refusal == (member.keeper == "gw-b" ? .unknownSession : nil), "\(member.keeper)")
        }
        try server.stop()
    }

    /// Waits for all answers, over other connections where one is lost.
    private func settle(_ member: inout Member) throws {
        while member.refusal == nil, let next = member.asked.first {
            if member.peer.isConnected {
                if let answer = try? member.peer.answer(to: next.id, milliseconds: patient(10_000)) {
                    #expect(answer == next.value)
                    member.asked.removeFirst()
                } else {
                    #expect(!member.peer.isConnected, "an answer did not come")
                    if member.peer.isConnected { return }
                }
                continue
            }
            let peer = member.peer
            var refusal: SessionCode?
            try eventually("it is back, or told why not") {
                switch try peer.resume() {
                case .ok: return true
                case .refused(let code, _):
                    refusal = code
                    return true
                case .ended, .nothing: return false
                }
            }
            member.refusal = refusal
        }
    }
}
