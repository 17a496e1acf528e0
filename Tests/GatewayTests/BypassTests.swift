// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Ways around the rules", .blocking)
struct BypassTests {
    /// What has to become of an attempt.
    enum Fate: Sendable {
        /// It is answered with AccessDenied.
        case denied
        /// It is dropped without a word.
        case dropped
        /// It ends the connection, with this reason.
        case closed(String)
        /// It passes, because the server would read it as what is allowed.
        case passes
    }

    struct Attempt: Sendable, CustomTestStringConvertible {
        var name: String
        var message: [UInt8]
        var fate: Fate

        init(_ name: String, _ message: [UInt8], _ fate: Fate) {
            self.name = name
            self.message = message
            self.fate = fate
        }

        var testDescription: String { name }
    }

    private static let clients = [
        #"{ match: { uri: "**" }, context: "remote:alice", allow: ["#
            + #"{ channel: files, call: [read], when: { "[0].path": { below: /srv/work } } }, "#
            + #"{ channel: "caf\u00e9", call: [read] }, { channel: sample, call: [echo], listen: [onPing] }], "#
            + #"deny: [{ channel: "*", call: [drop] }] }"#
    ]

    private static func call(_ id: UInt64, _ channel: IPCString, _ command: IPCString, json: String? = nil) -> [UInt8] {
        let call = IPCMessage.call(id: id, channel: channel, command: command)
        guard let json else { return call }
        // The argument is an array of parameters with one object.
        return call.dropLast() + [4, 1, 5, UInt8(json.utf8.count)] + Array(json.utf8)
    }

    private static func read(_ json: String) -> [UInt8] {
        call(0, "files", "read", json: json)
    }

    /// The call `sample.echo` with another header.
    private static func header(_ bytes: [UInt8]) -> [UInt8] { bytes + [0] }

    static let attempts: [Attempt] = [
        // The same header in other forms.
        Attempt(
            "a padded length",
            header([4, 0x84, 0] + Array(call(0, "sample", "drop")[2...].dropLast())),
            .closed("non-canonical-length")
        ),
        Attempt(
            "a header in JSON",
            header([5, 24] + Array(#"[100,0,"sample", "drop"]"#.utf8)),
            .closed("header-not-array")
        ),
        Attempt(
            "a number in JSON",
            header([4, 4, 5, 3] + Array("100".utf8) + Array(call(0, "sample", "drop")[4...].dropLast())),
            .closed("wrong-header-type")
        ),
        Attempt(
            "a channel that is a number",
            [4, 4, 6, 100, 6, 0, 6, 1, 1, 4] + Array("drop".utf8) + [0],
            .closed("wrong-header-type")
        ),
        Attempt(
            "a channel that is a list",
            [4, 4, 6, 100, 6, 0, 4, 1, 1, 1, 0x61, 1, 4] + Array("drop".utf8) + [0],
            .closed("wrong-header-type")
        ),
        Attempt(
            "a channel in JSON",
            [4, 4, 6, 100, 6, 0, 5, 8] + Array(#""sample""#.utf8) + [1, 4] + Array("drop".utf8) + [0],
            .closed("wrong-header-type")
        ),
        Attempt(
            "two headers",
            call(0, "sample", "echo").dropLast() + call(0, "sample", "drop"),
            .closed("trailing-bytes")
        ),
        // Names.
        Attempt("another spelling of a letter", call(0, "cafe\u{301}", "read"), .denied),
        Attempt("the spelling that is meant", call(0, "caf\u{e9}", "read"), .passes),
        Attempt("a name with a NUL at its end", call(0, "sample\0", "echo"), .denied),
        Attempt("capitals", call(0, "Sample", "echo"), .denied),
        Attempt("a space", call(0, "sample ", "echo"), .denied),
        Attempt("an invisible character", call(0, "sample\u{200b}", "echo"), .denied),
        Attempt("the right channel with a denied command", call(0, "sample", "drop"), .denied),
        Attempt("a call of what may be listened to", call(0, "sample", "onPing"), .denied),
        Attempt(
            "a listen to what may be called",
            IPCMessage.listen(id: 0, channel: "sample", event: "echo", argument: .undefined),
            .dropped
        ),
        // Arguments.
        Attempt("the folder that is meant", read(#"{"path":"/srv/work/a"}"#), .passes),
        Attempt("an escaped letter", read(#"{"path":"/srv/\u0077ork/a"}"#), .passes),
        Attempt("an escaped key", read(#"{"p\u0061th":"/srv/work/a"}"#), .passes),
        Attempt("an escaped letter elsewhere", read(#"{"path":"/srv/\u0073ecret"}"#), .denied),
        Attempt("a key twice", read(#"{"path":"/srv/work/a","path":"/etc/x"}"#), .denied),
        Attempt("a key twice, once escaped", read(#"{"path":"/srv/work/a","p\u0061th":"/etc/x"}"#), .denied),
        Attempt("__proto__", read(#"{"__proto__":{"path":"/srv/work/a"}}"#), .denied),
        Attempt("the way up", read(#"{"path":"/srv/work/../secret"}"#), .denied),
        Attempt("the way up, with more slashes", read(#"{"path":"/srv/work//..///secret"}"#), .denied),
        Attempt("a neighbour", read(#"{"path":"/srv/workshop/a"}"#), .denied),
        Attempt("an alias", read(#"{"path":"/vscode-resource/srv/work/a"}"#), .denied),
        Attempt("a relative path", read(#"{"path":"srv/work/a"}"#), .denied),
        Attempt("a NUL", read(#"{"path":"/srv/work/a\u0000/../../secret"}"#), .denied),
        Attempt(
            "a URI whose fsPath is another",
            read(#"{"$mid":1,"scheme":"file","path":"/srv/work/a","fsPath":"/etc/x"}"#),
            .denied
        ),
        Attempt(
            "a URI whose external is another",
            read(#"{"$mid":1,"scheme":"file","path":"/srv/work/a","external":"file:///etc/x"}"#),
            .denied
        ),
        Attempt(
            "a URI of another host",
            read(#"{"$mid":1,"scheme":"file","authority":"x","path":"/srv/work/a"}"#),
            .denied
        ),
        Attempt("no argument", call(0, "files", "read"), .denied),
        // Ids and sides.
        Attempt("an answer to what nobody asked", IPCMessage.success(id: 0, result: 1), .dropped),
        Attempt("an event that nobody listens to", IPCMessage.event(id: 0, payload: 1), .dropped),
        Attempt("a cancellation of what is not open", IPCMessage.cancel(id: 0), .dropped),
        Attempt("an end of what is not open", IPCMessage.unlisten(id: 0), .dropped),
        Attempt("a second context", IPCMessage.context("somebody else"), .closed("header-not-array")),
        Attempt("a second Initialize", IPCMessage.initialize, .dropped),
        Attempt(
            "an id below zero",
            [4, 4, 6, 100, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 6] + Array("sample".utf8) + [1, 4] + Array("echo".utf8)
                + [0],
            .closed("invalid-id")
        ),
        Attempt(
            "an id in JSON that fits a number",
            [4, 4, 6, 100, 5, 1, 0x30, 1, 6] + Array("sample".utf8) + [1, 4] + Array("echo".utf8) + [0],
            .closed("invalid-id")
        ),
    ]

    private static let fence = call(77, "sample", "echo")

    @Test("are judged as the server would read them; of what is refused not a byte arrives")
    func attempts() throws {
        let bench = try GatewayBench { $0.clients = Self.clients }
        for (index, attempt) in Self.attempts.enumerated() {
            let before = bench.upstream?.connections.count ?? 0
            let client = try bench.open()
            let frame = Frame.regular(attempt.message).encoded()
            let fence = Frame.regular(Self.fence).encoded()
            client.send(frame + fence)
            let opening = RecordingUpstream.opening(context: "remote:alice")
            if case .closed(let reason) = attempt.fate {
                #expect(try client.receiveToEnd() == .inOrder, "\(attempt.name)")
                #expect(client.errorCode == "malformed", "\(attempt.name)")
                #expect(try bench.gateway.waitForClosings(index + 1)["reason"] == reason, "\(attempt.name)")
                let dialled = try bench.recording().settledConnections().count
                #expect(dialled == before, "\(attempt.name): nothing of it may reach the server")
                continue
            }
            let server = try bench.recording().connection(before)
            var expected = opening + fence
            if case .passes = attempt.fate { expected = opening + frame + fence }
            #expect(try server.receive(count: expected.count) == expected, "\(attempt.name)")
            if case .denied = attempt.fate {
                #expect(try TwoServers.error(client.frame(1), id: 0) == "AccessDenied", "\(attempt.name)")
            }
            client.finishSending()
            #expect(try server.receiveToEnd() == expected, "\(attempt.name)")
            server.close()
            #expect(try client.receiveToEnd() == .inOrder)
            if case .dropped = attempt.fate { #expect(client.frames.count == 1, "\(attempt.name)") }
            try bench.gateway.waitForClosings(index + 1)
        }
    }

    @Test("by ids: one that is open is not taken again, and another client's call is not cancelled")
    func ids() throws {
        let bench = try GatewayBench { $0.clients = Self.clients }
        let call = Frame.regular(Self.call(5, "sample", "echo")).encoded()
        let opening = RecordingUpstream.opening(context: "remote:alice")
        let victim = try bench.open()
        victim.send(call)
        let server = try bench.recording().connection()
        try server.receive(count: opening.count + call.count)
        let other = try bench.open()
        other.send(Frame.regular(IPCMessage.cancel(id: 5)).encoded() + call + call)
        #expect(try other.receiveToEnd() == .inOrder)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "duplicate-id")
        #expect(try bench.recording().connection(1).receiveToEnd() == opening + call)
        #expect(server.received == opening + call)
    }

    @Test("by haste: calls that are cancelled at once count until they are answered")
    func callAndCancel() throws {
        let bench = try GatewayBench {
            $0.clients = Self.clients
            $0.limits["callsOutstanding"] = "10"
        }
        let client = try bench.open()
        var frames: [UInt8] = []
        for id in 0..<UInt64(1_000) {
            frames += Frame.regular(Self.call(id, "sample", "echo")).encoded()
            frames += Frame.regular(IPCMessage.cancel(id: id)).encoded()
        }
        client.send(frames)
        for id in 10..<UInt64(1_000) {
            #expect(try TwoServers.error(client.frame(Int(id) - 9), id: id) == "LimitExceeded")
        }
        let server = try bench.recording().connection()
        let passed = (0..<UInt64(10)).flatMap { id in
            Frame.regular(Self.call(id, "sample", "echo")).encoded()
                + Frame.regular(IPCMessage.cancel(id: id)).encoded()
        }
        let expected = RecordingUpstream.opening(context: "remote:alice") + passed
        #expect(try server.receive(count: expected.count) == expected)
    }
}
