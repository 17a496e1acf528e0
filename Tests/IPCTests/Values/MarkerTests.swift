// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol
import Testing

@Suite("Marked objects")
struct MarkerTests {
    @Test("A marker is an object whose $mid is an integer")
    func kinds() {
        #expect(IPCMarker.kind(of: ["$mid": 1]) == .uri)
        #expect(IPCMarker.kind(of: ["a": 0, "$mid": 2]) == .regExp)
        #expect(IPCMarker.kind(of: ["$mid": .number(17)]) == .date)
        #expect(IPCMarker.kind(of: ["$mid": 3]) == .other(3))
        #expect(IPCMarker.kind(of: ["$mid": .number(4_294_967_296)]) == .other(1 << 32))
        for other in [["$mid": "1"], ["$mid": 1.5], ["mid": 1], [["$mid": 1]], 1, .null, [:]] as [IPCValue] {
            #expect(IPCMarker.kind(of: other) == nil)
        }
    }

    @Test("A regular expression is written as VS Code's proxies revive it, and read back")
    func regExp() throws {
        let expression = try #require(IPCRegExp(source: #"^a/\d"#, flags: "gi"))
        #expect(json(try encoded(expression)) == #"{"$mid":2,"source":"^a/\\d","flags":"gi"}"#)
        #expect(try decoded(IPCRegExp.self, encoded(expression)) == expression)
        #expect(try decoded(IPCRegExp.self, ["$mid": 2, "source": "x"]) == IPCRegExp(source: "x"))
    }

    @Test("Flags JavaScript does not have are refused", arguments: ["x", "gg", "uv", "G", "é"])
    func flags(flags: String) {
        #expect(IPCRegExp(source: "a", flags: flags) == nil)
        let value: IPCValue = ["$mid": 2, "source": "a", "flags": IPCValue(flags)]
        #expect(decodingFailure(IPCRegExp.self, value) == "dataCorrupted at .flags")
    }

    @Test("What is no regular expression is refused")
    func noRegExp() {
        #expect(decodingFailure(IPCRegExp.self, ["$mid": 1, "source": "a"]) == "dataCorrupted at .$mid")
        #expect(decodingFailure(IPCRegExp.self, ["source": "a"]) == "keyNotFound at .$mid")
        #expect(decodingFailure(IPCRegExp.self, ["$mid": 2]) == "keyNotFound at .source")
        #expect(decodingFailure(IPCRegExp.self, ["$mid": 2, "source": 1]) == "typeMismatch at .source")
    }
}
