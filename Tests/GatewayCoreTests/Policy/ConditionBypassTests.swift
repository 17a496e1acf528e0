// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import GatewayTestSupport
import IPCProtocol
import Testing

/// Attempts to show a condition something else than the server sees.
@Suite("A condition is not evaded")
struct ConditionBypassTests {
    typealias Row = ConditionTests.Row

    private static let text = PolicyText.text
    private static let json = PolicyText.json

    private static func uri(_ members: String) -> [UInt8] { json(#"{"$mid":1,"scheme":"file",\#(members)}"#) }

    static let ambiguities: [Row] = [
        Row("path: { equals: a }", json(#"{"path":"a","path":"b"}"#), .undecided),
        Row("path: { equals: a }", json(#"{"path":"b","path":"a"}"#), .undecided),
        Row("path: { equals: a }", json(#"{"path":"b","p\u0061th":"a"}"#), .undecided),
        Row("path: { equals: a }", json(#"{"path":"a","x":{"y":1,"y":1}}"#), .undecided),
        Row("path: { equals: a }", json(#"{"path":"a","x":[{"":1,"":1}]}"#), .undecided),
        Row("path: { present: false }", json(#"{"x":{"y":1,"y":1}}"#), .undecided),
        Row("path: { present: false }", json(#"{"__proto__":{"path":"b"}}"#), .undecided),
        Row("path: { present: false }", json(#"{"__pr\u006fto__":{"path":"b"}}"#), .undecided),
        // Colons and keys in strings are neither.
        Row("path: { equals: a }", json(#"{"path":"a","x":"\":\\","y":"{\"y\":1,\"y\":1}"}"#), .holds),
        Row("path: { equals: a }", json(#"{"path":"a","\"":1,"\\":2,"\\\"":3,":":4}"#), .holds),
        Row("path: { equals: a }", json(#"{"path":"a","caf\u00e9":1,"cafe\u0301":1}"#), .holds),
        // One argument of several: only what the path leads into counts.
        Row("\"[0].path\": { equals: a }", PolicyText.array(json(#"{"path":"a"}"#), json(#"{"y":1,"y":1}"#)), .holds),
        Row("\"[1].path\": { equals: a }", PolicyText.array([0], json(#"{"path":"a","y":1,"y":1}"#)), .undecided),
    ]

    static let escapes: [Row] = [
        Row("path: { equals: a }", json(#"{"p\u0061th":"\u0061"}"#), .holds),
        Row("path: { prefix: /srv }", json(#"{"path":"\u002fsrv/x"}"#), .holds),
        Row("path: { equals: \"caf\u{e9}\" }", json(#"{"path":"caf\u00e9"}"#), .holds),
        Row("path: { equals: \"caf\u{e9}\" }", json(#"{"path":"cafe\u0301"}"#), .fails),
        Row("path: { equals: \"\u{1f600}\" }", json(#"{"path":"\ud83d\ude00"}"#), .holds),
        Row("path: { equals: \"\u{fffd}\" }", json(#"{"path":"\ud83d"}"#), .fails),
        Row("path: { below: /srv }", json(#"{"path":"/srv/\u002e\u002e/etc"}"#), .fails),
    ]

    static let paths: [Row] = [
        Row(".: { below: /srv/work }", text("/srv/work"), .holds),
        Row(".: { below: /srv/work }", text("/srv/work/"), .holds),
        Row(".: { below: /srv/work }", text("/srv/work/a/b"), .holds),
        Row(".: { below: /srv/work/ }", text("/srv/work/a"), .holds),
        Row(".: { below: [/x, /srv/work] }", text("/srv/work/a"), .holds),
        Row(".: { below: / }", text("/anything"), .holds), Row(".: { below: / }", text("/../.."), .holds),
        Row(".: { below: /srv/work }", text("/srv/workshop"), .fails),
        Row(".: { below: /srv/work }", text("/srv"), .fails),
        Row(".: { below: /srv/work }", text("/srv/work/../secret"), .fails),
        Row(".: { below: /srv/work }", text("/srv/work/a/../../secret"), .fails),
        Row(".: { below: /srv/work }", text("/srv/work/.."), .fails),
        Row(".: { below: /srv/work }", text("/srv/x/../work/a"), .holds),
        Row(".: { below: /srv/work }", text("//srv///work//a"), .holds),
        Row(".: { below: /srv/work }", text("/srv/./work/./a/."), .holds),
        Row(".: { below: /srv/work }", text("/../srv/work/a"), .holds),
        Row(".: { below: /srv/work }", text("/srv/work/..."), .holds),
        Row(".: { below: /srv/work }", text("/SRV/work/a"), .fails),
        Row(".: { below: /caf\u{e9} }", text("/cafe\u{301}/a"), .fails),
        // Where such a path leads depends on the server.
        Row(".: { below: /srv/work }", text("srv/work/a"), .undecided),
        Row(".: { below: /srv/work }", text(""), .undecided),
        Row(".: { below: /srv/work }", text("file:///srv/work/a"), .undecided),
        Row(".: { below: /srv/work }", text("/srv/work/a\u{0}/../../../etc/passwd"), .undecided),
        Row(".: { below: /srv/work }", text("/srv/work/" + String(repeating: "a", count: 4096)), .undecided),
        Row(".: { below: /srv/work }", PolicyText.array(text("/srv/work/a")), .undecided),
        Row(".: { below: /srv/work }", json(#"{"path":"/srv/work/a"}"#), .undecided),
    ]

    private static let below = "\"[0]\": { below: /srv/work }"
    private static let member = "\"[0].path\": { below: /srv/work }"

    /// Members of a file's URI, and what comes of a condition on it or on its path.
    private static let files: [(members: String, outcome: ConditionTests.Outcome)] = [
        (#""path":"/srv/work/a""#, .holds), (#""path":"/srv/work/../a""#, .fails),
        (#""path":"/srv/work/a","fsPath":"/srv/work/a","external":"file:///srv/work/a""#, .holds),
        (#""path":"/srv/work/a b","external":"file:///srv/work/a%20b""#, .holds),
        (#""path":"/srv/work/caf\u00e9","external":"file:///srv/work/caf%C3%A9""#, .holds),
        (#""path":"/srv/work/a","fsPath":"\\srv\\work\\a","_sep":1"#, .holds),
        (#""path":"/srv/work/a","fsPath":"/etc/passwd""#, .undecided),
        (#""path":"/srv/work/a","fsPath":["/etc/passwd"]"#, .undecided),
        (#""path":"/srv/work/a","fsPath":"\\srv\\work\\a""#, .undecided),
        (#""path":"/srv/work/a","external":"file:///etc/passwd""#, .undecided),
        (#""path":"/srv/work/a","external":"http:///srv/work/a""#, .undecided),
        (#""path":"/srv/work/a","external":"file:///srv/work/a?x""#, .undecided),
        (#""path":"/srv/work/a","external":"file:///srv/work/%2e%2e%zz""#, .undecided),
        (#""path":"/srv/work/a","external":"/srv/work/a""#, .undecided),
        (#""path":"/srv/work/a","external":true"#, .undecided),
        // Linux takes //host/srv/work/a for /host/srv/work/a, and c:/ for a folder where it is.
        (#""path":"/srv/work/a","authority":"home""#, .undecided),
        (#""path":"/c:/../srv/work/a""#, .undecided),
    ]

    static let uris: [Row] =
        files.flatMap { file in
            [below, member].map { Row($0, PolicyText.array(uri(file.members)), file.outcome) }
        } + [
            Row(below, PolicyText.array(json(#"{"$mid":2,"path":"/srv/work/a"}"#)), .undecided),
            Row(below, PolicyText.array(json(#"{"$mid":1.0,"path":"/srv/work/a","fsPath":"/x"}"#)), .undecided),
            Row(below, PolicyText.array(uri(#""path":7"#)), .undecided),
            Row(below, PolicyText.array(uri(#""query":"q""#)), .undecided),
            Row(member, PolicyText.array(json(#"{"path":"/srv/work/a","fsPath":"/etc/passwd"}"#)), .undecided),
            Row(member, PolicyText.array(json(#"{"path":"/srv/work/a","scheme":"","authority":"h"}"#)), .undecided),
            Row("scheme: { equals: file }", uri(#""path":"/a","external":"http:///a""#), .undecided),
            Row("fsPath: { below: /srv }", uri(#""path":"/a","fsPath":"/srv""#), .undecided),
            Row(
                "authority: { equals: \"Host:80\" }",
                json(
                    #"{"$mid":1,"scheme":"http","authority":"Host:80","path":"/a","external":"http://host:80/a?q=1#f","#
                        + #""query":"q=1","fragment":"f"}"#
                ),
                .holds
            ),
            Row("path: { prefix: etc }", uri(#""path":"etc/passwd""#), .undecided),
            Row("path: { equals: Untitled-1 }", json(#"{"$mid":1,"scheme":"untitled","path":"Untitled-1"}"#), .holds),
            // Nothing of a URI's: an object may have a scheme for all kinds of things.
            Row("depth: { max: 3 }", json(#"{"scheme":"dark","depth":3,"external":true}"#), .holds),
        ]

    @Test("by JSON that can be read in two ways", arguments: ambiguities)
    func ambiguity(row: Row) throws {
        #expect(try ConditionTests.outcome(row.condition, row.argument) == row.outcome)
    }

    @Test("by escapes, or by other spellings of a letter", arguments: escapes)
    func escape(row: Row) throws {
        #expect(try ConditionTests.outcome(row.condition, row.argument) == row.outcome)
    }

    @Test("by paths that lead elsewhere than they seem to", arguments: paths)
    func path(row: Row) throws {
        #expect(try ConditionTests.outcome(row.condition, row.argument) == row.outcome)
    }

    @Test("by URIs whose members contradict each other", arguments: uris)
    func uriMembers(row: Row) throws {
        #expect(try ConditionTests.outcome(row.condition, row.argument) == row.outcome)
    }

    @Test("by arguments too large to look into")
    func size() throws {
        let padding = String(repeating: "x", count: 1 << 20)
        #expect(
            try ConditionTests.outcome("a: { equals: 1 }", Self.json(#"{"a":1,"b":"\#(padding)"}"#)) == .undecided
        )
        #expect(try ConditionTests.outcome(".: { prefix: x }", Self.text(padding)) == .undecided)
        // What no path leads into may have any size.
        let both = PolicyText.array(Self.text(padding), [6, 1])
        #expect(try ConditionTests.outcome("\"[1]\": { equals: 1 }", both) == .holds)
    }

    @Test("by bytes that are no value, of which other parts of the gateway let none come this far")
    func garbage() throws {
        var random = SeededGenerator(seed: 20_261_123)
        let policy = try PolicyText.policy(
            allow: "[{ channel: c, call: [x], when: { \"[0].a\": { equals: 1 }, \"[1][2]\": { below: / } } }]"
        )
        let alphabet: [UInt8] = [0, 1, 2, 3, 4, 4, 4, 5, 5, 6, 7, 0x80, 0xff] + Array("{}[]\"a:1".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                alphabet[Int.random(in: alphabet.indices, using: &random)]
            }
            #expect(!policy.allowsCall("c", "x", bytes), "\(bytes)")
        }
    }

    @Test("and a rule without conditions does not mind what an argument looks like")
    func unconditional() throws {
        let policy = try PolicyText.policy(
            allow: "[{ channel: c, call: [x] }, { channel: c, call: [x], when: { path: { equals: a } } }]"
        )
        #expect(policy.allowsCall("c", "x", Self.json(#"{"path":"a","path":"b"}"#)))
    }
}
