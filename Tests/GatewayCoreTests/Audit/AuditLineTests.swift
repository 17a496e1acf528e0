// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Lines of the audit log")
struct AuditLineTests {
    private static let common =
        #""connection":"r-1","identityField":"uri","identity":"spiffe://example.org/dev/alice","context":"remote:alice","#
        + #""generation":3"#
    private static let time = #""time":"2026-11-23T06:00:00.123456Z""#

    private static func text(_ line: [UInt8]) -> String {
        String(decoding: line, as: UTF8.self)
    }

    // MARK: The schema

    @Test("of a call")
    func call() throws {
        let line = Self.text(try AuditSample.line(AuditSample.request()))
        let expected =
            #"{"v":1,"type":"call",\#(Self.time),\#(Self.common),"from":"client","channel":"storage","command":"get","#
            + #""upstream":"main","outcome":"ok","rule":"read storage","requestBytes":30,"answerBytes":40,"#
            + #""milliseconds":1.234}"# + "\n"
        #expect(line == expected)
    }

    @Test("of a call that was repeated")
    func repeatedCall() throws {
        var request = AuditSample.request()
        request.repeats = 2
        let line = Self.text(try AuditSample.line(request))
        #expect(line.contains(#""answerBytes":40,"repeats":2,"milliseconds""#))
    }

    @Test("of a listen, from the server, with a difference of the shadow policy")
    func listen() throws {
        var request = AuditSample.request(.listen, name: Array("onDidChange".utf8), outcome: .ended)
        request.direction = .fromServer
        request.upstream = nil
        request.rule = nil
        request.shadow = AuditRequest.Shadow(isAllowed: false, rule: "no events")
        let line = Self.text(try AuditSample.line(request))
        let expected =
            #"{"v":1,"type":"listen",\#(Self.time),\#(Self.common),"from":"server","channel":"storage","#
            + #""event":"onDidChange","outcome":"ended","requestBytes":30,"answerBytes":40,"events":5,"#
            + #""milliseconds":1.234,"shadow":{"allowed":false,"rule":"no events"}}"# + "\n"
        #expect(line == expected)
        request.shadow?.rule = nil
        #expect(Self.text(try AuditSample.line(request)).contains(#""shadow":{"allowed":false}}"#))
    }

    @Test("tell an object from a text that looks like one, and say all that the entry went by")
    func contexts() throws {
        let object: IPCValue = .object(["clientId": "a\"\u{202e}b", "role": "x"])
        let match: [IdentityField: [String]] = [.gid: ["27", "100"], .uid: ["1000"], .executable: ["/usr/bin/node"]]
        let open = AuditLine.open(AuditSample.connection(match: match, context: object), at: 0, wallClockOffset: 0)
        #expect(Self.text(open).contains(#","context":{"clientId":"a\"\u202eb","role":"x"},"#))
        #expect(
            Self.text(open).contains(#","match":{"executable":["/usr/bin/node"],"uid":["1000"],"gid":["27","100"]},"#)
        )
        let members = try AuditSample.parse(open)
        #expect((members["context"] as? [String: String])?["role"] == "x")
        let text = AuditSample.connection(context: #"{"clientId":"x"}"#)
        let line = AuditLine.open(text, at: 0, wallClockOffset: 0)
        #expect(try AuditSample.parse(line)["context"] as? String == #"{"clientId":"x"}"#)
        let long = AuditSample.connection(context: .object(["id": IPCValue(String(repeating: "c", count: 5000))]))
        #expect(try AuditSample.parse(AuditSample.line(AuditSample.request(), long))["truncated"] as? Bool == true)
    }

    @Test("of a connection's beginning and end")
    func connection() {
        let connection = AuditSample.connection()
        let (time, offset) = (AuditSample.time, AuditSample.offset)
        let open = Self.text(AuditLine.open(connection, at: time, wallClockOffset: offset))
        #expect(
            open == #"{"v":1,"type":"open",\#(Self.time),\#(Self.common),"peer":"192.0.2.7:40000","#
                + #""listener":"0.0.0.0:7443","entry":"clients[0]","match":{"uri":["spiffe://example.org/dev/alice"]},"contextAssigned":true,"tls":"1.3","#
                + #""cipher":"TLS_AES_128_GCM_SHA256","subject":"CN=alice","fingerprint":"ab12"}"# + "\n"
        )
        let end = AuditClose(
            reason: "finished",
            bytesIn: 1,
            bytesOut: 2,
            framesIn: 3,
            framesOut: 4,
            calls: 5,
            denied: 6,
            strays: 7,
            openedAt: time - 2_000_000_000,
            closedAt: time
        )
        let close = Self.text(AuditLine.close(connection, end, wallClockOffset: offset))
        #expect(
            close == #"{"v":1,"type":"close",\#(Self.time),\#(Self.common),"peer":"192.0.2.7:40000","#
                + #""reason":"finished","bytesIn":1,"bytesOut":2,"framesIn":3,"framesOut":4,"calls":5,"denied":6,"#
                + #""strays":7,"milliseconds":2000.000}"# + "\n"
        )
        let dropped = Self.text(AuditLine.dropped(17, at: time, wallClockOffset: offset))
        #expect(dropped == #"{"v":1,"type":"dropped",\#(Self.time),"count":17}"# + "\n")
    }

    @Test(
        "name outcomes as documented",
        arguments: [
            (AuditRequest.Outcome.ok, "ok", false), (.error, "error", false), (.denied, "denied", true),
            (.cancelled, "cancelled", false), (.deadline, "deadline-exceeded", true), (.busy, "busy", true),
            (.limit, "limit-exceeded", true), (.noRoute, "no-route", true), (.unavailable, "unavailable", false),
            (.lost, "lost", false), (.open, "open", false), (.ended, "ended", false), (.closed, "closed", false),
            (.revoked, "revoked", true), (.draining, "draining", true),
        ]
    )
    func outcomes(outcome: AuditRequest.Outcome, name: String, isAlwaysWritten: Bool) throws {
        var request = AuditSample.request(outcome: outcome)
        #expect(try AuditSample.parse(AuditSample.line(request))["outcome"] as? String == name)
        #expect(request.isAlwaysWritten == isAlwaysWritten)
        request.shadow = AuditRequest.Shadow(isAllowed: true)
        #expect(request.isAlwaysWritten)
        #expect(AuditRequest.Outcome.allCases.count == 15)
    }

    @Test("have the time of a wall clock, before 1970 and after 9999 too")
    func times() throws {
        for (nanoseconds, text) in [
            (Int64(0), "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
            (951_782_400_000_001_000, "2000-02-29T00:00:00.000001Z"), (Int64.max, "2262-04-11T23:47:16.854775Z"),
        ] {
            let line = AuditLine.dropped(1, at: 0, wallClockOffset: nanoseconds)
            #expect(try AuditSample.parse(line)["time"] as? String == text)
        }
        var request = AuditSample.request()
        request.endedAt = request.startedAt - 1
        #expect(try AuditSample.parse(AuditSample.line(request))["milliseconds"] as? Double == 0)
    }

    // MARK: Texts

    @Test(
        "escape what would break a line, deceive a reader or is no text",
        arguments: [
            (Array("a\"b\\c\n\t\u{7}\u{7f}é𝄞".utf8), #"a\"b\\c\n\t\u0007\u007fé𝄞"#),
            (Array("\u{85}\u{9b}31m\u{2028}\u{202e}\u{feff}\u{ad}".utf8), #"\u0085\u009b31m\u2028\u202e\ufeff\u00ad"#),
            ([0x61, 0xff, 0x62], #"a\ufffdb"#), ([0xed, 0xa0, 0x80], #"\ufffd\ufffd\ufffd"#),
            ([0xc0, 0x80], #"\ufffd\ufffd"#), ([0xe2, 0x82], #"\ufffd\ufffd"#),
            ([0xf4, 0x90, 0x80, 0x80], #"\ufffd\ufffd\ufffd\ufffd"#), ([], ""),
        ]
    )
    func escapes(bytes: [UInt8], text: String) throws {
        let line = try AuditSample.line(AuditSample.request(channel: bytes))
        #expect(Self.text(line).contains("\"channel\":\"\(text)\",\"command\""), "\(Self.text(line))")
        _ = try AuditSample.parse(line)
    }

    @Test("cut long texts between characters and say so")
    func cut() throws {
        let long = Array(String(repeating: "x", count: 4095).utf8)
        let fits = try AuditSample.parse(AuditSample.line(AuditSample.request(channel: long + [0x78])))
        #expect(fits["truncated"] == nil)
        #expect((fits["channel"] as? String)?.utf8.count == 4096)
        let text = try AuditSample.parse(AuditSample.line(AuditSample.request(channel: long + "é".utf8)))
        #expect(text["truncated"] as? Bool == true)
        #expect(text["channel"] as? String == String(repeating: "x", count: 4095))
        let huge = [UInt8](repeating: 0x22, count: 16 << 20)
        let line = try AuditSample.line(AuditSample.request(name: huge))
        #expect(line.count < 10_000)
        #expect(try AuditSample.parse(line)["truncated"] as? Bool == true)
        let connection = AuditSample.connection(context: IPCValue(String(repeating: "c", count: 5000)))
        let open = AuditLine.open(connection, at: 0, wallClockOffset: 0)
        #expect(try AuditSample.parse(open)["truncated"] as? Bool == true)
        #expect(
            try AuditSample.parse(AuditSample.line(AuditSample.request(), connection))["truncated"] as? Bool == true
        )
    }

    @Test("are read back by another reader, whatever the names, the context and the identity hold")
    func property() throws {
        var generator = SeededGenerator(seed: 7)
        let alphabets: [[UInt8]] = [
            Array("ab\"\\\n/{}".utf8), Array("é\u{202e}𝄞\u{0}z".utf8), Array(0...255),
            [0xed, 0xa0, 0x80, 0xbf, 0xf0, 0x9f, 0xc2, 0x9b, 0x41],
        ]
        func bytes(_ generator: inout SeededGenerator) -> [UInt8] {
            let alphabet = alphabets.randomElement(using: &generator) ?? []
            return (0..<Int.random(in: 0...40, using: &generator)).compactMap { _ in
                alphabet.randomElement(using: &generator)
            }
        }
        for _ in 0..<2000 {
            let (channel, name) = (bytes(&generator), bytes(&generator))
            let texts = (0..<2).map { _ in String(decoding: bytes(&generator), as: UTF8.self) }
            var request = AuditSample.request(.listen, channel: channel, name: name, argument: bytes(&generator))
            request.rule = String(decoding: bytes(&generator), as: UTF8.self)
            let connection = AuditSample.connection(identity: texts[0], context: IPCValue(texts[1]))
            let members = try AuditSample.parse(AuditSample.line(request, connection, arguments: 64))
            for (key, text) in [("identity", texts[0]), ("context", texts[1]), ("rule", request.rule ?? "")] {
                let read = try #require(members[key] as? String)
                #expect(read.utf8.elementsEqual(text.utf8))
            }
            for (key, source) in [("channel", channel), ("event", name)]
            where String(validating: source, as: UTF8.self) != nil {
                let read = try #require(members[key] as? String)
                #expect(read.utf8.elementsEqual(source))
            }
        }
    }
}
