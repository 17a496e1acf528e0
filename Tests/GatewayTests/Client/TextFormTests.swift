// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@testable import ipc_gateway

@Suite("Text that the command line reads and writes")
struct TextFormTests {
    @Test(
        "Hosts and ports",
        arguments: [
            ("example.org", "example.org", nil), ("example.org:7443", "example.org", 7443),
            ("127.0.0.1:1", "127.0.0.1", 1), ("::1", "::1", nil), ("[::1]", "::1", nil),
            ("[fe80::1]:65535", "fe80::1", 65535),
        ] as [(String, String, UInt16?)]
    )
    func hosts(text: String, host: String, port: UInt16?) throws {
        let parsed = try #require(HostAndPort(argument: text))
        #expect(parsed.host == host)
        #expect(parsed.port == port)
    }

    @Test(
        "What is no host and port",
        arguments: ["", ":1", "a:", "a:0", "a:65536", "a:-1", "a:+1", "a:x", "[::1", "[a]:1", "[::1]1", "/tmp/x.sock"]
    )
    func noHosts(text: String) {
        #expect(HostAndPort(argument: text) == nil)
    }

    @Test("Base64 of every length comes back, and is what others write")
    func base64() {
        #expect(Base64.encode(Array("hello".utf8)) == "aGVsbG8=")
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 89) }
            let text = Base64.encode(bytes)
            #expect(text.utf8.count == (count + 2) / 3 * 4)
            #expect(Base64.decode(text) == bytes)
            #expect(Base64.decode(text.filter { $0 != "=" }) == bytes)
        }
        for bad in ["a", "a===", "aa=a", "a b=", "é===", "aaaaa"] { #expect(Base64.decode(bad) == nil, "\(bad)") }
    }

    @Test("What is printed of a value can be given as an argument and is the same value")
    func values() throws {
        let values: [IPCValue] = [
            .null, true, 1, -2.5, "é\u{0}\u{7f}\u{2028}", [1, ["a"]], ["b": 1, "a": ["x": .null]], .buffer([]),
            .vsBuffer([0, 255]), [.buffer([1]), [.vsBuffer([2])]],
        ]
        for value in values {
            for text in [ValueText.line(value), ValueText.pretty(value)] {
                #expect(try ValueText.parse(Array(text.utf8), from: "here") == value, "\(text)")
            }
            #expect(!ValueText.line(value).contains("\n"))
        }
        #expect(ValueText.line(.undefined) == "null")
        let inObject: IPCValue = ["a": ["type": "Buffer", "base64": "AQ=="]]
        #expect(try ValueText.parse(Array(ValueText.line(inObject).utf8), from: "here") == inObject)
    }

    @Test("Lines of a recording come back")
    func records() throws {
        for record in [
            TraceRecord(at: 0, connection: 1, direction: .clientToServer, bytes: [0, 255, 16]),
            TraceRecord(at: 12.345, connection: 70_000, direction: .serverToClient, bytes: nil),
            TraceRecord(at: 1e9, connection: 2, direction: .serverToClient, bytes: []),
        ] {
            #expect(try TraceRecord(line: Array(record.line.utf8)) == record, "\(record.line)")
        }
        let short = Array(#"{"direction":"c2s","hex":"FFff"}"#.utf8)
        #expect(
            try TraceRecord(line: short)
                == TraceRecord(at: 0, connection: 1, direction: .clientToServer, bytes: [255, 255])
        )
        for bad in [
            "", "x", "[]", "{}", #"{"direction":"c2s"}"#, #"{"direction":"c2s","hex":"f"}"#,
            #"{"direction":"c2s","hex":"zz"}"#, #"{"direction":"up","hex":""}"#,
        ] {
            #expect(throws: TraceRecord.Problem.self, "\(bad)") { try TraceRecord(line: Array(bad.utf8)) }
        }
    }
}
