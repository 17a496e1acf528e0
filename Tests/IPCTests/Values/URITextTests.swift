// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import Testing

@Suite("URIs as text")
struct URITextTests {
    /// A text, what VS Code makes of it (scheme, authority, path, query, fragment), and how it writes that.
    struct Sample: Sendable, CustomTestStringConvertible {
        var text: String
        var components: [String]
        var written: String

        init(_ text: String, _ components: [String], _ written: String) {
            self.text = text
            self.components = components
            self.written = written
        }

        var testDescription: String { text }
    }

    static let samples = [
        Sample("https://u@h:1/p?q=1#f", ["https", "u@h:1", "/p", "q=1", "f"], "https://u@h:1/p?q%3D1#f"),
        Sample("file:///C:/Users/a b.txt", ["file", "", "/C:/Users/a b.txt", "", ""], "file:///c%3A/Users/a%20b.txt"),
        Sample("file:///c%3A/x", ["file", "", "/c:/x", "", ""], "file:///c%3A/x"),
        Sample("http://Example.ORG:80", ["http", "Example.ORG:80", "/", "", ""], "http://example.org:80/"),
        Sample("untitled:Untitled-1", ["untitled", "", "Untitled-1", "", ""], "untitled:Untitled-1"),
        Sample("HTTP:a", ["HTTP", "", "a", "", ""], "HTTP:a"),
        Sample("http:a", ["http", "", "/a", "", ""], "http:/a"),
        Sample(
            "vscode-remote://ssh-remote%2Bhost/home/%C3%A9?a=b&c=d#L1,2",
            ["vscode-remote", "ssh-remote+host", "/home/é", "a=b&c=d", "L1,2"],
            "vscode-remote://ssh-remote%2Bhost/home/%C3%A9?a%3Db%26c%3Dd#L1%2C2"
        ),
        Sample("http://[::1]:8080/a", ["http", "[::1]:8080", "/a", "", ""], "http://[::1]:8080/a"),
        Sample("http://[2001:DB8::1]/", ["http", "[2001:DB8::1]", "/", "", ""], "http://[2001:db8::1]/"),
        Sample("x://a:b:c[@h/", ["x", "a:b:c[@h", "/", "", ""], "x://a%3Ab:c[@h/"),
        Sample("file://server/c$/f", ["file", "server", "/c$/f", "", ""], "file://server/c%24/f"),
        Sample(
            "git:/a%2Fb?%7B%22ref%22%3A%22%22%7D",
            ["git", "", "/a/b", #"{"ref":""}"#, ""],
            "git:/a/b?%7B%22ref%22%3A%22%22%7D"
        ),
        Sample("s:/%41%ff", ["s", "", "/%41%ff", "", ""], "s:/%2541%25ff"),
        Sample("s:/%ff%41", ["s", "", "/%ffA", "", ""], "s:/%25ffA"),
        Sample("s:/%zz%41", ["s", "", "/%zzA", "", ""], "s:/%25zzA"),
        Sample("s:/%E2%82%AC%E2%82", ["s", "", "/%E2%82%AC%E2%82", "", ""], "s:/%25E2%2582%25AC%25E2%2582"),
        Sample("s:/%E2%82%zz%AC%41", ["s", "", "/%E2%82%zz%ACA", "", ""], "s:/%25E2%2582%25zz%25ACA"),
        Sample("s:/%ED%A0%80", ["s", "", "/%ED%A0%80", "", ""], "s:/%25ED%25A0%2580"),
        Sample("s:/%F0%9F%98%80%", ["s", "", "/\u{1f600}%", "", ""], "s:/%F0%9F%98%80%25"),
        Sample("s:/a%2", ["s", "", "/a%2", "", ""], "s:/a%252"),
        Sample(
            #"s:/"<>\^`{|}!$&'()*+,;=:@[]"#,
            ["s", "", #"/"<>\^`{|}!$&'()*+,;=:@[]"#, "", ""],
            "s:/%22%3C%3E%5C%5E%60%7B%7C%7D%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40%5B%5D"
        ),
        Sample("s://a@b@c/", ["s", "a@b@c", "/", "", ""], "s://a@b%40c/"),
        Sample("s:D:/x", ["s", "", "D:/x", "", ""], "s:d%3A/x"),
        Sample("s:?q", ["s", "", "", "q", ""], "s:?q"),
        Sample("s:#f?x#y", ["s", "", "", "", "f?x#y"], "s:#f%3Fx%23y"),
        Sample("_1+.-:", ["_1+.-", "", "", "", ""], "_1+.-:"),
    ]

    @Test("Text is read and written as VS Code does", arguments: samples)
    func sample(_ sample: Sample) throws {
        let uri = try #require(IPCURI(sample.text))
        #expect([uri.scheme, uri.authority, uri.path, uri.query, uri.fragment] == sample.components)
        #expect(uri.description == sample.written)
    }

    @Test(
        "Text without a valid scheme, or with a path that would pass for an authority, is no URI",
        arguments: ["", "a", "/a", "//h/p", ":a", "a b:c", "+a:b", "é:x", "?a:b", "#a:b", "s:%2F%2Fx", "s:////x"]
    )
    func refused(text: String) {
        #expect(IPCURI(text) == nil)
    }

    @Test("Components that break the rules make no URI")
    func components() {
        #expect(IPCURI(scheme: "") == nil)
        #expect(IPCURI(scheme: "a:b") == nil)
        #expect(IPCURI(scheme: "s", authority: "h", path: "p") == nil)
        #expect(IPCURI(scheme: "s", path: "//p") == nil)
        #expect(IPCURI(scheme: "file", authority: "h", path: "p")?.path == "/p")
        #expect(IPCURI(scheme: "s", authority: "h")?.description == "s://h")
        #expect(IPCURI(scheme: "file")?.description == "file:///")
    }

    @Test("An authority cannot pass for a path, as it can with VS Code")
    func port() throws {
        let uri = try #require(IPCURI(scheme: "s", authority: "h:1/../?#", path: "/p"))
        #expect(uri.description == "s://h:1%2F..%2F%3F%23/p")
        #expect(IPCURI(uri.description) == uri)
    }

    /// A path, then authority, path and `filePath` of its URI.
    @Test(
        "A path in the file system becomes a URI and comes back",
        arguments: [
            ["/x", "", "/x", "/x"], ["x", "", "/x", "/x"], ["", "", "/", "/"], ["/", "", "/", "/"],
            ["//srv/a/b", "srv", "/a/b", "//srv/a/b"], ["//srv", "srv", "/", "/"], ["//", "", "/", "/"],
            ["///x", "", "/x", "/x"], ["////x//y", "", "/x//y", "/x//y"], ["/C:/x", "", "/C:/x", "c:/x"],
            ["c:/x", "", "/c:/x", "c:/x"], ["/1:/x", "", "/1:/x", "/1:/x"],
            ["/a#b?c%20", "", "/a#b?c%20", "/a#b?c%20"],
            ["/é", "", "/é", "/é"], [#"/a\b"#, "", #"/a\b"#, #"/a\b"#],
        ]
    )
    func files(sample: [String]) {
        let uri = IPCURI(filePath: sample[0])
        #expect([uri.scheme, uri.query, uri.fragment] == ["file", "", ""])
        #expect([uri.authority, uri.path, uri.filePath] == Array(sample[1...]))
        #expect(IPCURI(uri.description)?.filePath == uri.filePath)
    }

    @Test("Whatever is written is read back as the same URI")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 13)
        let pieces = [
            "a", "/", "%", "%41", "%ff", "?", "#", "@", ":", "[", "é", "e\u{301}", "€", "\u{1f600}", "\u{0}", " ", "1",
        ]
        func text() -> String {
            (0..<Int.random(in: 0...5, using: &generator)).map { _ in pieces.randomElement(using: &generator) ?? "" }
                .joined()
        }
        var count = 0
        for _ in 0..<3_000 {
            let uri = IPCURI(scheme: "s", authority: text(), path: "/" + text(), query: text(), fragment: text())
            guard let uri else { continue }
            count += 1
            #expect(IPCURI(uri.description) == uri)
            #expect(uri.description.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
        }
        #expect(count > 2_000)
    }

    @Test("A long run of broken escapes takes time linear in its length")
    func hostileEscapes() {
        let text = "s:/" + String(repeating: "%e2%82", count: 100_000)
        #expect(IPCURI(text)?.path.utf8.count == 600_001)
    }
}
