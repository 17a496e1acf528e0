// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import IPCProtocol

/// Writes what the fuzzer starts with: inputs made of recorded conversations and values, and a few of our own.
enum Seeds {
    static func write(from vectors: String, to corpus: String) throws {
        var found: [(key: String, bytes: [UInt8])] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: vectors).sorted() where name.hasSuffix(".json")
        {
            let data = try Data(contentsOf: URL(fileURLWithPath: vectors + "/" + name))
            collect(try JSONSerialization.jsonObject(with: data), &found)
        }
        let values = found.filter { $0.key == "hex" }.map(\.bytes)
        let bodies = found.filter { $0.key == "bodyHex" }.map(\.bytes)
        for target in Target.allCases {
            let folder = "\(corpus)/\(target.rawValue)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let seeds = Set(seeds(for: target, values: values, bodies: bodies).filter { $0.count <= 2_000 })
            for (number, seed) in seeds.sorted(by: { $0.lexicographicallyPrecedes($1) }).enumerated() {
                try Data(seed).write(to: URL(fileURLWithPath: "\(folder)/seed-\(number)"))
            }
        }
    }

    /// Everything written in hexadecimal, anywhere in a file.
    private static func collect(_ json: Any, _ found: inout [(key: String, bytes: [UInt8])]) {
        if let array = json as? [Any] {
            for element in array { collect(element, &found) }
        } else if let object = json as? [String: Any] {
            for (key, value) in object {
                if let text = value as? String, key.lowercased().hasSuffix("hex") {
                    found.append((key, bytes(text)))
                } else {
                    collect(value, &found)
                }
            }
        }
    }

    private static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap { $0.hexDigitValue }
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    private static func seeds(for target: Target, values: [[UInt8]], bodies: [[UInt8]]) -> [[UInt8]] {
        switch target {
        case .frames:
            var seeds: [[UInt8]] = values.map { [0, 7] + $0 }
            for body in bodies {
                let frame = Frame.regular(body).encoded()
                seeds += [[0, 3] + frame, [1, 9] + frame + frame, [2, 5] + frame]
            }
            return seeds
        case .values: return values + bodies
        case .session, .pair: return bodies.map { [0] + $0 }
        case .control: return control.map { Array($0.utf8) }
        case .configuration: return configurations.map { Array($0.utf8) }
        case .patterns:
            return patterns.map { pattern, text in
                [1, UInt8(pattern.utf8.count)] + Array(pattern.utf8) + Array(text.utf8)
            }
        case .arguments:
            let texts: [[UInt8]] = json.map { [0] + Array($0.utf8) }
            return texts + values.map { [1] + $0 } + json.map { [1] + encoded($0) }
        case .audit:
            let start: [UInt8] = [6, 2, 97, 98, 3, 0xe2, 0x80, 0x8b, 1, 120]
            return values.map { start + $0 }
        case .passing:
            let messages: [[UInt8]] = bodies.map { body in
                [0, 6, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
            }
            return messages + [[0, 0, 0, 99, 99, 0, 0, 4, 0], [1, 0, 2, 100, 100, 0, 1, 7, 2, 5, 2, 123, 125]]
        case .proxy:
            return proxyHeaders.map { [2, 12, 3] + $0 }
        case .records:
            let update: [UInt8] = [24, 0, 0, 1, 1]
            return [
                [0, 1, 3] + [0, 0, 3, 1, 2, 3] + [3, 9, 0] + [0, 0, 1, 4],
                [1, 0] + [0, 5, 2, 1, 2] + [1, 0, 5] + update + [0, 0, 1, 7],
                [2, 2, 9, 9] + [1, 0, 2, 24, 0] + [1, 0, 3, 0, 1, 0] + [2, 0, 2, 1, 0],
                [0, 0] + [4, 0, 1, 1] + [5, 23, 3, 3, 40],
                [0, 0] + [2, 0, 2, 1, 90] + [6, 99, 0, 1, 5],
                [0, 0] + [1, 0, 6] + update + [7],
            ]
        case .relay:
            return statements.map { Frame(type: .control, body: ValueEncoder.encode($0)).encoded() + [1, 2] }
        }
    }

    private static func encoded(_ json: String) -> [UInt8] {
        [5, UInt8(json.utf8.count)] + Array(json.utf8)
    }

    private static let control = [
        #"{"type":"connect","version":1}"#,
        #"{"type":"connect","version":1,"reconnectionToken":"gw.00112233445566778899aabbccddeeff"}"#,
        #"{"type":"ok","reconnectionToken":"t","graceTime":30}"#,
        #"{"type":"error","code":"limit","reason":"a\"\\\u0001"}"#,
        #"{"type":"goAway","reason":"later"}"#,
        " gw.00112233445566778899aabbccddeeff",
    ]

    private static let json = [
        #"[{"path":"/a/b"},true,null,1e3,-0.5]"#, #"{"options":{"depth":3},"a":"\ud83d\ude00\ud800"}"#,
        #"{"a":1,"a":2,"__proto__":{}}"#, "12", "[[[[]]]]",
    ]

    private static let patterns = [("a/*/b", "a/x/b"), ("**", ""), ("a\\**", "a*b"), ("*a*b**c", "xaybzc"), ("", "")]

    private static let configurations = [
        """
        listeners:
          - address: 0.0.0.0:7443
            tls: { certificate: s.pem, key: k.pem, clientCA: ca.pem }
          - unix: /run/g.sock
            mode: "0660"
        upstreams:
          main: { unix: /run/main.sock }
          other: { unix: o.sock, channels: ["o*"], whenLost: redial }
        roles:
          reader: [{ channel: storage, call: [get], when: { "[0].path": { below: /a } } }]
        clients:
          - match: { commonName: ops }
            context: { announced: ["window:*", main] }
            roles: [reader]
            allow: [{ channel: "*", call: ["*"], listen: ["*"] }]
            deny: [{ channel: "*", call: [shutdown], name: no }]
        limits: { frameBytes: 1MiB, callsPerSecond: 5 }
        audit: { file: a.log, arguments: 100, redact: [a.b] }
        """,
        "listeners: []\nupstreams: {}\nclients: []\nwrong: 1\n", "a: &a [*a]\n", "", "- 1",
    ]

    /// What a peer states of a client, and what it should not.
    private static let statements: [IPCValue] = [
        ["relay", 1, "gw-0", "192.0.2.7:4711", [.buffer([0x30, 3, 2, 1, 0])]],
        ["relay", 1, "gw_1.example", "[2001:db8::1]:4711", [.buffer([1]), .buffer([2, 3])]],
        ["relay", 2, "g", "c", [.buffer([1])], "more"], ["relay", 1, "g", "", [.vsBuffer([1])]], ["relay"], "relay",
    ]

    /// Headers of the PROXY protocol, and the beginning of TLS behind some.
    private static let proxyHeaders: [[UInt8]] = {
        let signature = Array("\r\n\r\n\0\r\nQUIT\n".utf8)
        let ends: [UInt8] = [0x7F, 0, 0, 2, 0x7F, 0, 0, 1, 0xCE, 0xFF, 0x9C, 0x9F]
        // As HAProxy has sent it.
        let extensions: [UInt8] = [3, 0, 4, 0xE1, 0x42, 0xC2, 0xD1, 5, 0, 5, 0x61, 0x62, 0x63, 0x64, 0x65]
        let v6 = [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 28) + [0x9D, 0x78, 0x1D, 0x13]
        return [
            signature + [0x21, 0x11, 0, 27] + ends + extensions,
            signature + [0x21, 0x11, 0, 12] + ends + [0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5],
            signature + [0x21, 0x11, 0, 16] + ends + [4, 0, 1, 9, 0x16, 3, 1],
            signature + [0x21, 0x21, 0, 36] + v6, signature + [0x20, 0, 0, 0], signature + [0x20, 0, 0, 3, 4, 0, 0],
            signature + [0x21, 0, 0, 0], signature + [0x20, 0x31, 0, 2, 1, 1],
            Array("PROXY TCP4 1.2.3.4 1.2.3.4 5 6".utf8),
        ]
    }()
}
