// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("A session that goes on by new rules")
struct ReloadedSessionTests {
    private static func rules(_ rules: AccessPolicy.Rule...) -> SessionTerms {
        changed { $0.policy = AccessPolicy(rules: rules) }
    }

    private static func changed(_ change: (inout SessionTerms) -> Void) -> SessionTerms {
        var terms = SessionBench.terms()
        change(&terms)
        return terms
    }

    private static func listening(_ name: String) -> AccessPolicy.Rule {
        AccessPolicy.Rule(channel: SessionBench.glob("test"), listen: [SessionBench.glob(name)])
    }

    @Test("judges what is asked from then on by them, and lets calls that are open go on")
    func calls() throws {
        var bench = try SessionBench()
        #expect(bench.client(SessionBench.call(0)) == .forward(to: 0))
        let revision = try bench.session.adopt(Self.rules(Self.listening("onPing")), at: bench.now)
        #expect(revision == GatewaySession.Revision())
        let action = bench.client(SessionBench.call(1))
        #expect(try SessionBench.refusal(action).name == "AccessDenied")
        #expect(bench.server(IPCMessage.success(id: 0)) == .forward)
    }

    @Test("ends the subscriptions that they do not allow, at whoever sends the events, once")
    func listens() throws {
        var bench = try SessionBench()
        #expect(bench.client(SessionBench.listen(0)) == .forward(to: 0))
        #expect(bench.client(SessionBench.listen(1, "other.onPing")) == .forward(to: 0))
        #expect(bench.server(IPCMessage.listen(id: 5, channel: "window", event: "onFocus")) == .forward)
        let new = Self.rules(Self.listening("onPing"))
        let revision = try bench.session.adopt(new, at: bench.now)
        #expect(revision.endedListens == 2)
        let dispose = SessionBench.frame(IPCMessage.unlisten(id: 1))
        #expect(
            revision.tasks == [.tellServer(0, dispose), .tellClient(SessionBench.frame(IPCMessage.unlisten(id: 5)))]
        )
        #expect(bench.server(IPCMessage.event(id: 1)) == .swallow)
        #expect(bench.server(IPCMessage.event(id: 0)) == .forward)
        #expect(bench.client(IPCMessage.event(id: 5)) == .swallow)
        #expect(bench.client(IPCMessage.unlisten(id: 1)) == .swallow)
        let again = try bench.session.adopt(new, at: bench.now)
        #expect(again == GatewaySession.Revision())
    }

    @Test("records each subscription that ends so, though its beginning was not in the sample")
    func recorded() throws {
        var bench = try SessionBench(Self.changed { $0.recording = RequestRecording(includesAllowed: false) })
        _ = bench.client(SessionBench.listen(0))
        #expect(bench.session.takeRecords().isEmpty)
        let new = Self.changed { terms in
            terms.policy = AccessPolicy()
            terms.recording = RequestRecording(includesAllowed: false)
        }
        _ = try bench.session.adopt(new, at: bench.now)
        let records = bench.session.takeRecords()
        #expect(records.map(\.outcome) == [.revoked])
        #expect(records.allSatisfy { $0.isAlwaysWritten && $0.name == Array("onPing".utf8) })
    }

    @Test("ends subscriptions that a lost server would have got again")
    func waiting() throws {
        var bench = try SessionBench.withTwo()
        #expect(bench.client(SessionBench.listen(0)) == .forward(to: 0))
        _ = bench.session.lostUpstream(0, wasReached: true, at: bench.now)
        var new = SessionBench.terms(upstreams: SessionBench.two)
        new.policy = AccessPolicy()
        let revision = try bench.session.adopt(new, at: bench.now)
        #expect(revision.tasks.isEmpty)
        #expect(revision.endedListens == 1)
        #expect(bench.session.nextDeadline == .max, "nobody waits for the server")
    }

    @Test("does not make a call again that they do not allow", arguments: [true, false])
    func repeated(isWaiting: Bool) throws {
        let idempotent = IdempotentCalls([(SessionBench.glob("test"), [SessionBench.glob("echo")])])
        var server = GatewayConfiguration.Upstream(name: "main", unix: "main.sock", whenLost: .redial)
        server.idempotent = idempotent
        var bench = try SessionBench(SessionBench.terms(upstreams: [server]))
        _ = bench.session.openUpstream(0)
        _ = bench.server(IPCMessage.initialize)
        #expect(bench.client(SessionBench.call(0)) == .forward(to: 0))
        if isWaiting { #expect(bench.session.lostUpstream(0, wasReached: true, at: bench.now).isEmpty) }
        var new = SessionBench.terms(upstreams: [server])
        new.policy = AccessPolicy()
        var tasks = try bench.session.adopt(new, at: bench.now).tasks
        if !isWaiting {
            #expect(tasks.isEmpty)
            tasks = bench.session.lostUpstream(0, wasReached: true, at: bench.now)
        }
        guard case .tellClient(let answer)? = tasks.first else {
            Issue.record("no answer: \(tasks)")
            return
        }
        #expect(try SessionBench.failure(answer).name == (isWaiting ? "AccessDenied" : "UpstreamLost"))
        #expect(!bench.session.hasOpenCalls)
    }

    @Test("ends where the client is another, may not have its context, or is led elsewhere")
    func ends() throws {
        func code(_ new: SessionTerms) throws -> CloseReason.Code? {
            var session = try SessionBench().session
            do throws(CloseReason) {
                _ = try session.adopt(new, at: 0)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(try code(Self.changed { $0.resolution.entry = 5 }) == nil, "an entry may move")
        #expect(try code(Self.changed { $0.resolution.value = "bob" }) == .revoked)
        #expect(try code(Self.changed { $0.resolution.grant = .assigned("remote:bob") }) == .revoked)
        #expect(try code(Self.changed { $0.resolution.grant = .announced([SessionBench.glob("remote:*")]) }) == nil)
        #expect(try code(Self.changed { $0.resolution.grant = .announced([SessionBench.glob("x")]) }) == .revoked)
        #expect(try code(Self.changed { $0.upstreams[0].unix = "other.sock" }) == .serversChanged)
        #expect(try code(Self.changed { $0.upstreams = SessionBench.two }) == .serversChanged)
    }

    @Test("has new limits for calls, and the old ones for frames")
    func limits() throws {
        var bench = try SessionBench()
        let new = Self.changed { terms in
            terms.clientLimits.callsOutstanding = 1
            terms.limits.wire.frameBytes = 20
        }
        _ = try bench.session.adopt(new, at: bench.now)
        #expect(bench.client(SessionBench.call(0)) == .forward(to: 0))
        #expect(try SessionBench.refusal(bench.client(SessionBench.call(1))).name == "LimitExceeded")
    }

    @Test("counts its open calls where they are shared from then on")
    func loads() throws {
        var bench = try SessionBench()
        var limits = ClientLimits.Shared(clients: 1)
        limits.callsOutstanding = 1
        let old = IdentityLoad(limits: limits)
        #expect(old.addClient())
        bench.session.share(old)
        #expect(bench.client(SessionBench.call(0)) == .forward(to: 0))
        let new = IdentityLoad(limits: limits)
        new.takeOver(&bench.session, isDetached: true, heldBytes: 5, from: old)
        #expect(old.isIdle(at: bench.now) && old.sessions.count == -1 && old.sessions.byteCount == -5)
        #expect(new.sessions.count == 1 && new.sessions.byteCount == 5 && !new.addClient())
        #expect(try SessionBench.refusal(bench.client(SessionBench.call(1))).name == "LimitExceeded")
        #expect(bench.server(IPCMessage.success(id: 0)) == .forward)
        #expect(bench.client(SessionBench.call(2)) == .forward(to: 0))
    }
}
