// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

extension InteropTests {
    @Suite("Values")
    struct Values {
        /// A value, and what arrives of it.
        struct Case {
            var value: IPCValue
            var arrival: IPCValue

            init(_ value: IPCValue, as arrival: IPCValue? = nil) {
                self.value = value
                self.arrival = arrival ?? value
            }
        }

        static let lone = IPCValue.string(IPCString(utf16: [0x61, 0xd800, 0x62]))

        /// What both can make. What arrives stays as it is when it is sent back.
        static let shared: [Case] = [
            Case(.undefined), Case(.null), Case(true), Case(false),
            Case(0), Case(1), Case(-1), Case(63), Case(64), Case(127), Case(128), Case(-128), Case(16_383),
            Case(16_384), Case(2_097_151), Case(2_097_152), Case(268_435_456), Case(.int(.max)), Case(.int(.min)),
            Case(2_147_483_648), Case(-2_147_483_649), Case(9_007_199_254_740_991), Case(0.1), Case(-1.5), Case(42.6),
            Case(1e21), Case(1e-7), Case(.number(.leastNonzeroMagnitude)), Case(.number(.greatestFiniteMagnitude)),
            Case(123_456_789_012_345_680_000.0),
            Case(.number(-0.0), as: 0), Case(.number(.nan), as: .null), Case(.number(.infinity), as: .null),
            Case(.number(-.infinity), as: .null),
            Case(""), Case("text"), Case("é"), Case("e\u{301}"), Case("日本語"), Case("😀"), Case("a\u{0}b"),
            Case("\u{feff}bom"),
            Case("\u{2028}\u{2029}\u{7f}\"\\/\u{8}\n"), Case(IPCValue(String(repeating: "x", count: 16_384))),
            Case(lone, as: "a\u{fffd}b"), Case(.string(IPCString(utf16: [0xde00, 0xd83d])), as: "\u{fffd}\u{fffd}"),
            Case(.buffer([])), Case(.vsBuffer([])), Case(.buffer([1, 2, 255])), Case(.vsBuffer([0, 128, 255])),
            Case(.buffer([UInt8](repeating: 7, count: 128))), Case(.vsBuffer([UInt8](repeating: 7, count: 16_384))),
            Case([]), Case([1, 2, 3]), Case([[], [[1]], ["x", [.null]]]), Case([.undefined, .null, .undefined]),
            Case([.buffer([1]), .vsBuffer([2]), [.vsBuffer([3]), .undefined]]),
            Case([.number(-0.0), .number(.nan)], as: [0, .null]), Case([2_147_483_648, 0.5, true, ["a": 1]]),
            Case(.array((0..<200).map { IPCValue($0) })),
            Case([:]), Case(["a": 1, "b": "x", "c": .null, "d": [1, [2]], "e": ["f": true]]),
            Case(["z": 1, "y": 2, "2": 3, "1": 4], as: ["1": 4, "2": 3, "z": 1, "y": 2]),
            Case(["é": 1, "e\u{301}": 2, "😀": 3, "": 4]),
            Case(["a": lone, "b": "\u{0}\u{1f}\n\"\\/\u{2028}"]),
            Case(.object(IPCObject([.init(key: IPCString(utf16: [0xdc00]), value: 1)]))),
            Case(["a": .undefined, "b": [.undefined, 1]], as: ["b": [.null, 1]]),
            Case(["a": .number(-0.0), "b": .number(.nan)], as: ["a": 0, "b": .null]),
            Case(["b": .buffer([1, 2])], as: ["b": ["type": "Buffer", "data": [1, 2]]]),
            Case(
                ["b": .vsBuffer([1, 2])],
                as: ["b": ["buffer": ["type": "Buffer", "data": [1, 2]], "byteLength": 2]]
            ),
            Case(["__proto__": ["a": 1], "constructor": 2, "toString": "x", "then": 3]),
            Case(["$mid": 1, "path": "/a", "scheme": "file"]), Case(["$mid": 99]),
        ]

        /// What only JavaScript makes.
        static let native: [Case] = [
            Case(.native("nan"), as: .null), Case(.native("infinity"), as: .null), Case(.native("negativeZero"), as: 0),
            Case(.native("negativeZeroInObject"), as: ["a": 0]),
            Case(.native("holes"), as: [1, .undefined, 3]),
            Case(.native("undefinedMember"), as: ["b": [.null, .null], "c": 1]),
            Case(.native("date"), as: "1970-01-01T00:00:00.000Z"),
            Case(.native("datesInside"), as: ["at": "2023-11-14T22:13:20.123Z"]),
            Case(.native("invalidDate"), as: .null), Case(.native("regexp"), as: [:]), Case(.native("map"), as: [:]),
            Case(.native("set"), as: [:]), Case(.native("error"), as: [:]), Case(.native("arrayBuffer"), as: [:]),
            Case(.native("typedArray"), as: ["0": 1, "1": 2]),
            Case(.native("bufferInObject"), as: ["b": ["type": "Buffer", "data": [1, 2]]]),
            Case(
                .native("vsBufferInObject"),
                as: ["b": ["buffer": ["type": "Buffer", "data": [1, 2]], "byteLength": 2]]
            ),
            Case(.native("loneSurrogate"), as: "a\u{fffd}b"),
            Case(.native("loneSurrogateInObject"), as: ["a": .string(IPCString(utf16: [0xdc00]))]),
            Case(.native("pairAcrossConcatenation"), as: "😀"),
            Case(.native("uri"), as: ["$mid": 1, "path": "/tmp/a b.txt", "scheme": "file"]),
            Case(
                .native("formattedURI"),
                as: [
                    "$mid": 1, "fsPath": "/tmp/a b.txt", "external": "file:///tmp/a%20b.txt", "path": "/tmp/a b.txt",
                    "scheme": "file",
                ]
            ),
            Case(.native("indexKeys"), as: ["1": 3, "2": 2, "b": 1]),
            Case(.native("prototypeKey"), as: ["__proto__": ["a": 1], "constructor": 2]),
        ]

        @Test("JavaScript sees what Swift has sent, and Swift gets it back", arguments: Setting.all)
        func fromSwift(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                for test in Self.shared {
                    let seen = try await bench.channel().call("describe", test.value)
                    #expect(seen.string == test.arrival.descriptionText)
                    #expect(try await bench.channel().call("echo", test.value) == test.arrival)
                }
            }
        }

        @Test("Swift sees what JavaScript has sent, and JavaScript gets it back", arguments: Setting.all)
        func fromNode(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                for test in Self.shared + Self.native {
                    let outcome = try await bench.node.call("swift", "echo", test.value)
                    #expect(bench.subject.seen.arguments.last == test.arrival)
                    #expect(outcome == .value(test.arrival))
                }
            }
        }

        @Test("Results that JavaScript makes arrive as the same", arguments: Setting.all)
        func results(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                for test in Self.shared + Self.native {
                    #expect(try await bench.channel().call("make", test.value.described) == test.arrival)
                }
            }
        }

        @Test("Payloads of events arrive as the same, both ways", arguments: Setting.all)
        func payloads(_ setting: Setting) async throws {
            try await Bench.run(setting) { bench async throws in
                var ticks = bench.channel().listen("onTick").makeAsyncIterator()
                try await bench.node.listen("ticks", "swift", "onTick")
                try await eventually("both listen") { bench.subject.seen.first == 1 }
                var arrivals: [IPCValue] = []
                // A call behind the subscription: then the other end has it.
                _ = try await bench.channel().call("whoami")
                for test in Self.shared {
                    try await bench.node.ask("fire", ["payload": test.value.described])
                    #expect(try await ticks.next() == test.arrival)
                    bench.subject.ticks.fire(test.value)
                    arrivals.append(test.arrival.described)
                }
                #expect(try await bench.node.payloads("ticks", count: arrivals.count) == .array(arrivals))
            }
        }
    }
}
