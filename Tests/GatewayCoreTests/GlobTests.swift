// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import GatewayTestSupport
import Testing

@Suite("Patterns")
struct GlobTests {
    @Test(
        "match as documented",
        arguments: [
            ("storage", "storage", true), ("storage", "storage2", false), ("storage", "xstorage", false),
            ("backup.*", "backup.now", true), ("backup.*", "backup.", true), ("backup.*", "backup", false),
            ("*", "", true), ("*", "anything/at:all", true), ("**", "x", true),
            ("a*b*c", "a-b-b-c", true), ("a*b*c", "acb", false), ("*a", "aaa", true), ("a**", "a", true),
            ("\\*", "*", true), ("\\*", "x", false), ("\\\\", "\\", true), ("?", "?", true), ("?", "x", false),
            ("[a]", "[a]", true), ("[a]", "a", false),
        ]
    )
    func documented(pattern: String, text: String, matches: Bool) throws {
        #expect(try #require(Glob(pattern)).matches(text) == matches)
    }

    @Test(
        "let a single star stop at the separator, and two stars cross it",
        arguments: [
            ("spiffe://example.org/dev/*", "spiffe://example.org/dev/alice", true),
            ("spiffe://example.org/dev/*", "spiffe://example.org/dev/alice/x", false),
            ("spiffe://example.org/*/alice", "spiffe://example.org/dev/ops/alice", false),
            ("spiffe://example.org/**", "spiffe://example.org/dev/ops/alice", true),
            ("**/a*c/d", "x/abb/abc/d", true), ("**/a*c/d", "x/ab/c/d", false),
            ("*/**/z", "a/b/c/z", true), ("*/**/z", "a/z", false),
        ]
    )
    func separator(pattern: String, text: String, matches: Bool) throws {
        #expect(try #require(Glob(pattern, separator: UInt8(ascii: "/"))).matches(text) == matches)
    }

    @Test("compare bytes, so that two spellings of a letter are two names")
    func bytes() throws {
        let composed = "caf\u{e9}"
        let decomposed = "cafe\u{301}"
        #expect(composed == decomposed)
        #expect(try #require(Glob(composed)).matches(composed))
        #expect(try !#require(Glob(composed)).matches(decomposed))
    }

    @Test("that are empty or end in a lone backslash are refused", arguments: ["", "a\\"])
    func refused(pattern: String) {
        #expect(Glob(pattern) == nil)
    }

    @Test("agree with an exhaustive matcher on random patterns and texts")
    func exhaustive() throws {
        var random = SeededGenerator(seed: 20_261_123)
        let alphabet = Array("ab/*".utf8)
        for _ in 0..<20_000 {
            let pattern = (0..<Int.random(in: 1...7, using: &random)).map { _ in alphabet.randomElement(using: &random)!
            }
            let text = (0..<Int.random(in: 0...8, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
            let glob = try #require(Glob(String(decoding: pattern, as: UTF8.self), separator: UInt8(ascii: "/")))
            let expected = Self.slowMatch(pattern[...], text[...])
            let got = glob.matches(text.span)
            #expect(
                got == expected,
                "\(String(decoding: pattern, as: UTF8.self)) on \(String(decoding: text, as: UTF8.self))"
            )
        }
    }

    /// Tries every way to read the pattern.
    private static func slowMatch(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        guard first == UInt8(ascii: "*") else {
            return text.first == first && slowMatch(pattern.dropFirst(), text.dropFirst())
        }
        let stars = pattern.prefix { $0 == UInt8(ascii: "*") }
        let rest = pattern.dropFirst(stars.count)
        for end in text.startIndex...text.endIndex {
            let run = text[text.startIndex..<end]
            if stars.count == 1, run.contains(UInt8(ascii: "/")) { return false }
            if slowMatch(rest, text[end...]) { return true }
        }
        return false
    }

    @Test("cost no more than the product of the lengths, whatever the pattern")
    func bounded() throws {
        let pattern = String(repeating: "*a", count: 200) + "b"
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 20_000)
        #expect(try !#require(Glob(pattern)).matches(text.span))
    }
}
