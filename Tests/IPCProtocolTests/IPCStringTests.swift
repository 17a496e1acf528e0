// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol
import Testing

@Suite("Text")
struct IPCStringTests {
    @Test("is equal only when its bytes are, unlike Swift's strings")
    func equality() {
        let composed: IPCString = "\u{e9}"
        let decomposed: IPCString = "e\u{301}"
        #expect(composed != decomposed)
        #expect(composed.string == decomposed.string)
    }

    @Test("holds lone surrogates, which have no string but print as U+FFFD")
    func loneSurrogates() {
        let text = IPCString(utf16: [0x61, 0xd800, 0x62])
        #expect(text.wtf8 == [0x61, 0xed, 0xa0, 0x80, 0x62])
        #expect(text.string == nil)
        #expect(text.description == "a\u{fffd}b")
        #expect(IPCString("a\u{fffd}b").string == "a\u{fffd}b")
    }

    @Test("made from UTF-16 is the same as made from a string")
    func utf16() {
        for string in ["", "plain", "é€😀a", "\u{0}\u{feff}", "\u{ffff}\u{10000}\u{10ffff}"] {
            #expect(IPCString(utf16: string.utf16) == IPCString(string))
        }
    }

    @Test("as a key of an object is found, replaced and removed")
    func object() {
        var object: IPCObject = ["b": 1, "a": 2]
        object["b"] = 3
        object["7"] = "seven"
        #expect(object.members.map(\.key.description) == ["7", "b", "a"])
        object["a"] = nil
        #expect(object == ["7": "seven", "b": 3])
        #expect(object["a"] == nil)
    }
}
