// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@testable import GatewayCore

@Suite("A session")
struct GatewaySessionTests {
    private static func session(
        grant: IdentityMap.ContextGrant = .assigned("remote:alice"),
        limits: GatewayLimits = GatewayLimits()
    ) throws -> GatewaySession {
        let rule = AccessPolicy.Rule(
            channel: try #require(Glob("test")),
            call: [try #require(Glob("echo"))],
            listen: [try #require(Glob("onPing"))]
        )
        let reverse = AccessPolicy.Rule(
            .allow,
            .fromServer,
            channel: try #require(Glob("window")),
            call: [try #require(Glob("show"))],
            listen: [try #require(Glob("onFocus"))]
        )
        return GatewaySession(
            resolution: IdentityMap.Resolution(entry: 0, grant: grant, field: .commonName, value: "alice"),
            policy: AccessPolicy(rules: [rule, reverse]),
            upstream: GatewayConfiguration.Upstream(name: "main", unix: "main.sock", eager: false),
            limits: limits
        )
    }

    private static func frame(_ message: [UInt8]) -> [UInt8] {
        Frame.regular(message).encoded()
    }

    private static func opened() throws -> GatewaySession {
        var session = try session()
        _ = session.receivedFromClient(frame(IPCMessage.context("x")).span)
        return session
    }

    private static func action(_ session: inout GatewaySession, _ message: [UInt8]) -> GatewaySession.ClientAction {
        session.receivedFromClient(frame(message).span).action
    }

    @Test("waits for a whole frame and says how long it will be")
    func waits() throws {
        var session = try Self.session()
        let bytes = Self.frame(IPCMessage.context("x"))
        for count in 0..<bytes.count {
            let step = session.receivedFromClient(bytes.span.extracting(0..<count))
            #expect(step.action == .wait)
            #expect(step.byteCount == (count < FrameHeader.byteCount ? FrameHeader.byteCount : bytes.count))
        }
        #expect(session.receivedFromClient(bytes.span) == .init(byteCount: bytes.count, action: .accept))
    }

    @Test("tells the server the authenticated context and Initialize, whatever was announced")
    func opening() throws {
        var session = try Self.session()
        #expect(Self.action(&session, IPCMessage.context(["clientId": "renderer"])) == .accept)
        #expect(session.context == "remote:alice")
        let expected = Self.frame(IPCMessage.context("remote:alice")) + Self.frame(IPCMessage.initialize)
        #expect(session.upstreamOpening == expected)
    }

    @Test("takes an announced context only as a string, not as JSON text of one")
    func announcedForms() throws {
        let grant = IdentityMap.ContextGrant.announced([try #require(Glob("main"))])
        var asString = try Self.session(grant: grant)
        #expect(Self.action(&asString, IPCMessage.context("main")) == .accept)
        var asJSON = try Self.session(grant: grant)
        let json: [UInt8] = [5, 6] + Array("\"main\"".utf8)
        guard case .close(let reason) = Self.action(&asJSON, json) else {
            Issue.record("a context in JSON was accepted")
            return
        }
        #expect(reason.code == .contextNotAllowed)
    }

    @Test("bounds the context more tightly than other frames")
    func contextBound() throws {
        var session = try Self.session(limits: GatewayLimits(contextBytes: 16))
        let long = IPCMessage.context(.string("a context that is too long"))
        guard case .close(let reason) = session.receivedFromClient(Self.frame(long).span.extracting(0..<13)).action
        else {
            Issue.record("the header alone must be enough to refuse")
            return
        }
        #expect(reason.code.rawValue == "frame-too-large")
    }

    @Test("forwards what is allowed and swallows the client's Initialize")
    func forwards() throws {
        var session = try Self.opened()
        #expect(Self.action(&session, IPCMessage.initialize) == .swallow)
        #expect(
            Self.action(&session, IPCMessage.call(id: 0, channel: "test", command: "echo", argument: 1)) == .forward
        )
        #expect(
            Self.action(&session, IPCMessage.listen(id: 1, channel: "test", event: "onPing", argument: .undefined))
                == .forward
        )
        for message in [
            IPCMessage.cancel(id: 0), IPCMessage.unlisten(id: 1), IPCMessage.success(id: 3),
            IPCMessage.failure(id: 3, name: "E", message: "m"), IPCMessage.event(id: 4),
        ] {
            #expect(Self.action(&session, message) == .forward)
        }
        #expect(session.framesFromClient == 7)
    }

    @Test("answers a denied call with its id and drops a denied listen")
    func denies() throws {
        var session = try Self.opened()
        let call = IPCMessage.call(id: 7, channel: "test", command: "drop\u{1b}[2J", argument: .undefined)
        guard case .deny(let answer, let denial) = Self.action(&session, call) else {
            Issue.record("the call was not denied")
            return
        }
        #expect(denial.description == "call of 'test.drop\\u{1b}[2J'")
        var decoder = FrameDecoder()
        decoder.append(answer.span)
        let frame = try #require(try decoder.next())
        guard case .failure(7, let error) = try IPCMessage.decode(frame.body) else {
            Issue.record("the answer is not a failure of call 7")
            return
        }
        #expect(error["name"]?.string == "AccessDenied")
        let listen = IPCMessage.listen(id: 8, channel: "test", event: "onDrop", argument: .undefined)
        guard case .deny([], _) = Self.action(&session, listen) else {
            Issue.record("the listen was not dropped")
            return
        }
        #expect(session.deniedCount == 2)
    }

    @Test("denies names too long to be held against every pattern")
    func longNames() throws {
        let anything = AccessPolicy.Rule(channel: try #require(Glob("*")), call: [try #require(Glob("*"))], listen: [])
        var session = GatewaySession(
            resolution: try Self.session().resolution,
            policy: AccessPolicy(rules: [anything]),
            upstream: try Self.session().upstream,
            limits: GatewayLimits()
        )
        _ = Self.action(&session, IPCMessage.context("x"))
        for (count, passes) in [(4096, true), (4097, false)] {
            let name = IPCString(String(repeating: "n", count: count))
            let call = IPCMessage.call(id: 0, channel: "c", command: name, argument: .undefined)
            #expect((Self.action(&session, call) == .forward) == passes)
        }
    }

    @Test("closes on a malformed frame with its name")
    func malformed() throws {
        for (message, code) in [
            ([UInt8]([5, 0]), "header-not-array"), ([4, 1, 6, 99, 0], "unknown-message-kind"), ([], "truncated"),
            (IPCMessage.call(id: 0, channel: "test", command: "echo", argument: .undefined) + [0], "trailing-bytes"),
        ] {
            var session = try Self.opened()
            guard case .close(let reason) = Self.action(&session, message) else {
                Issue.record("\(message) was not refused")
                continue
            }
            #expect(reason.code.rawValue == code)
        }
    }

    @Test("passes the server's frames, swallows its Initialize and closes on what the protocol does not allow")
    func server() throws {
        var session = try Self.opened()
        func action(_ bytes: [UInt8]) -> GatewaySession.ServerAction { session.receivedFromServer(bytes.span).action }
        #expect(!session.serverIsReady)
        #expect(action(Self.frame(IPCMessage.initialize)) == .swallow)
        #expect(session.serverIsReady)
        #expect(action(Self.frame(IPCMessage.success(id: 0, result: 5))) == .forward)
        #expect(
            action(Self.frame(IPCMessage.call(id: 0, channel: "window", command: "show", argument: .undefined)))
                == .forward
        )
        #expect(action([1, 0, 0]) == .wait)
        guard case .close(let reason) = action(Self.frame([9])) else {
            Issue.record("a malformed frame of the server passed")
            return
        }
        #expect(reason.code == .upstreamMalformed)
        guard case .close = action(Frame(type: .keepAlive, id: 0, ack: 0, body: []).encoded()) else {
            Issue.record("a frame of the persistent protocol passed")
            return
        }
    }

    @Test("passes what the server asks of the client where a rule allows it, and answers the rest itself")
    func serverRequests() throws {
        var session = try Self.opened()
        func action(_ message: [UInt8]) -> GatewaySession.ServerAction {
            session.receivedFromServer(Self.frame(message).span).action
        }
        #expect(action(IPCMessage.call(id: 0, channel: "window", command: "show", argument: 1)) == .forward)
        #expect(action(IPCMessage.listen(id: 1, channel: "window", event: "onFocus", argument: .undefined)) == .forward)
        // What the client may do at the server is another right.
        let call = action(IPCMessage.call(id: 2, channel: "test", command: "echo", argument: 1))
        guard case .deny(let answer, let denial) = call else {
            Issue.record("the call reached the client")
            return
        }
        #expect(denial.description == "call of 'test.echo'")
        var decoder = FrameDecoder()
        decoder.append(answer.span)
        guard case .failure(2, let error)? = try decoder.next().map({ try IPCMessage.decode($0.body) }) else {
            Issue.record("the answer is not a failure of call 2")
            return
        }
        #expect(error["name"] == "AccessDenied")
        let listen = action(IPCMessage.listen(id: 3, channel: "window", event: "onBlur", argument: .undefined))
        guard case .deny([], _) = listen else {
            Issue.record("the subscription reached the client")
            return
        }
        #expect(session.deniedCount == 2)
        #expect(session.framesFromServer == 2)
    }
}
