// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@Suite("Control messages of sessions")
struct SessionControlTests {
    private func read(_ text: String) throws(SessionFailure) -> SessionControl {
        try SessionControl(Array(text.utf8))
    }

    @Test(
        "are read as they were written",
        arguments: [
            .connect(token: nil), .connect(token: "a.b"), .ok(token: "a.b", graceTime: 300),
            .error(.notYours, reason: "no \u{1}\"é"), .goAway(reason: "draining"),
        ] as [SessionControl]
    )
    func roundTrip(_ message: SessionControl) throws {
        #expect(try SessionControl(message.encoded()) == message)
    }

    @Test("have the form that is documented")
    func form() {
        let text = { (message: SessionControl) in String(decoding: message.encoded(), as: UTF8.self) }
        #expect(text(.connect(token: nil)) == #"{"type":"connect","version":1}"#)
        #expect(text(.connect(token: "g.0")) == #"{"type":"connect","version":1,"reconnectionToken":"g.0"}"#)
        #expect(text(.ok(token: "g.0", graceTime: 300)) == #"{"type":"ok","reconnectionToken":"g.0","graceTime":300}"#)
        #expect(text(.error(.limit, reason: "full")) == #"{"type":"error","code":"limit","reason":"full"}"#)
        #expect(text(.goAway(reason: "draining")) == #"{"type":"goAway","reason":"draining"}"#)
    }

    @Test("may have members that are not known")
    func unknownMembers() throws {
        #expect(try read(#"{"version":1,"x":[{}],"type":"connect"}"#) == .connect(token: nil))
    }

    @Test(
        "of another version are refused by that name",
        arguments: [
            #"{"type":"connect","version":2}"#, #"{"type":"connect"}"#, #"{"type":"connect","version":"1"}"#,
        ]
    )
    func version(_ text: String) {
        #expect(throws: SessionFailure(.unsupportedVersion, "only version 1 of sessions is spoken here")) {
            try read(text)
        }
    }

    @Test(
        "that are none are refused",
        arguments: [
            "", "[]", "1", "{", #"{"type":"connect","version":1} "x""#, #"{"type":"hello"}"#, #"{"type":1}"#, "{}",
            #"{"type":"connect","version":1,"reconnectionToken":1}"#,
            #"{"type":"connect","version":1,"reconnectionToken":""}"#,
            #"{"type":"connect","version":1,"reconnectionToken":"\ud800"}"#,
            #"{"type":"ok"}"#, #"{"type":"ok","graceTime":1}"#,
        ]
    )
    func malformed(_ text: String) {
        let error = #expect(throws: SessionFailure.self) { try read(text) }
        #expect(error?.code == .malformed)
    }

    @Test("with a token that is too long are refused")
    func longToken() throws {
        let longest = String(repeating: "a", count: SessionControl.tokenBytes)
        #expect(try SessionControl(SessionControl.connect(token: longest).encoded()) == .connect(token: longest))
        #expect(throws: SessionFailure.self) {
            try SessionControl(SessionControl.connect(token: longest + "a").encoded())
        }
    }

    @Test("fit into a frame, whatever the reason")
    func longReason() {
        let reason = String(repeating: "\u{1}", count: 10_000)
        #expect(SessionControl.error(.limit, reason: reason).encoded().count <= SessionSettings().controlBytes)
    }

    @Test("with a time of grace that makes no sense have none", arguments: ["-1", "1e300", "\"5\"", "null"])
    func graceTime(_ text: String) throws {
        let message = try read(#"{"type":"ok","reconnectionToken":"t","graceTime":\#(text)}"#)
        #expect(message == .ok(token: "t", graceTime: 0))
    }
}
