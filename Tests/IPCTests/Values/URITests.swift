// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("URIs as objects")
struct URITests {
    private func bytes(_ uri: IPCURI) throws -> String {
        ValueEncoder.encode(try encoded(uri)).hex
    }

    private func vector(_ name: String) throws -> String? {
        try Vectors.values().encode.first { $0.name == name }?.expected.bytes?.hex
    }

    @Test("A URI has the bytes VS Code was seen to write")
    func recordedValues() throws {
        let https = try #require(IPCURI("https://u@h:1/p?q=1#f"))
        #expect(try bytes(https) == vector("URI https"))
        #expect(try bytes(IPCURI(filePath: "/foo bar")) == vector("URI file"))
        var cached = IPCURI(filePath: "/x")
        cached.writtenCaches = [.fsPath, .external]
        #expect(try bytes(cached) == vector("URI after toString and fsPath were used"))
    }

    @Test("A call of a proxy with a URI, and its answer, have the bytes VS Code was seen to write")
    func recordedProxy() throws {
        let frames = try Vectors.conversation("proxy").frames
        let call = try #require(frames.first { $0.header?.array?.last == "uri" })
        let arguments = try encoded([IPCURI(filePath: "/x")])
        #expect(IPCMessage.call(id: 2, channel: "svc", command: "uri", argument: arguments) == call.body)
        let answer = try #require(frames.first { $0.header == [201, 2] })
        #expect(IPCMessage.success(id: 2, result: try encoded(IPCURI(filePath: "/x"))) == answer.body)
        #expect(try decoded([IPCURI].self, #require(call.value)) == [IPCURI(filePath: "/x")])
        #expect(try decoded(IPCURI.self, #require(answer.value)).filePath == "/x")
    }

    @Test("Members are in VS Code's order, caches first")
    func order() throws {
        var uri = try #require(IPCURI(scheme: "S", authority: "h", path: "/p", query: "q", fragment: "f"))
        uri.writtenCaches = [.external, .fsPath]
        let text =
            #"{"$mid":1,"fsPath":"/p","external":"S://h/p?q#f","path":"/p","scheme":"S","authority":"h","query":"q","fragment":"f"}"#
        #expect(json(try encoded(uri)) == text)
        uri.writtenCaches = []
        #expect(
            json(try encoded(["u": uri]))
                == #"{"u":{"$mid":1,"path":"/p","scheme":"S","authority":"h","query":"q","fragment":"f"}}"#
        )
    }

    @Test("What a peer claims the path to be is not believed, and not passed on")
    func contradictingCaches() throws {
        let forged: IPCValue = [
            "$mid": 1, "fsPath": "/etc/shadow", "_sep": 1, "external": "file:///etc/shadow", "path": "/tmp/a",
            "scheme": "file",
        ]
        let uri = try decoded(IPCURI.self, forged)
        #expect(uri == IPCURI(filePath: "/tmp/a"))
        #expect(uri.filePath == "/tmp/a" && uri.description == "file:///tmp/a" && uri.writtenCaches == [])
        #expect(json(try encoded(uri)) == #"{"$mid":1,"path":"/tmp/a","scheme":"file"}"#)
        // Whatever they are.
        #expect(try decoded(IPCURI.self, ["$mid": 1, "scheme": "a", "fsPath": 1, "external": [.null]]).scheme == "a")
    }

    @Test("Missing components are empty; without $mid there must be a scheme")
    func missing() throws {
        let empty = try decoded(IPCURI.self, ["$mid": 1])
        #expect(empty.scheme == "" && empty.path == "" && empty.description == "")
        #expect(json(try encoded(empty)) == #"{"$mid":1}"#)
        #expect(try decoded(IPCURI.self, ["scheme": "file", "path": "/a"]) == IPCURI(filePath: "/a"))
        // Nothing is put before a path that arrives.
        #expect(try decoded(IPCURI.self, ["$mid": 1, "scheme": "file"]).path == "")
        #expect(decodingFailure(IPCURI.self, [:]) == "keyNotFound at .scheme")
    }

    @Test("What is no URI is refused")
    func refused() {
        #expect(decodingFailure(IPCURI.self, ["$mid": 2, "scheme": "a"]) == "dataCorrupted at .$mid")
        #expect(decodingFailure(IPCURI.self, ["$mid": "1", "scheme": "a"]) == "typeMismatch at .$mid")
        #expect(decodingFailure(IPCURI.self, ["$mid": 1, "path": ["a"]]) == "typeMismatch at .path")
        #expect(decodingFailure(IPCURI.self, ["$mid": 1, "query": 1]) == "typeMismatch at .query")
        #expect(decodingFailure([IPCURI].self, [["$mid": 1, "scheme": "a b"]]) == "dataCorrupted at [0]")
        #expect(decodingFailure(IPCURI.self, ["scheme": "a", "path": "//b"]) == "dataCorrupted at the top")
        #expect(
            decodingFailure(IPCURI.self, ["scheme": "a", "authority": "b", "path": "c"]) == "dataCorrupted at the top"
        )
        #expect(decodingFailure(IPCURI.self, "file:///a") == "typeMismatch at the top")
        let lone: IPCValue = .string(IPCString(utf16: [0xd800]))
        #expect(decodingFailure(IPCURI.self, ["$mid": 1, "path": lone]) == "dataCorrupted at .path")
    }

    @Test("URIs whose names differ in bytes are not equal, though Swift's strings are")
    func equality() throws {
        let composed = IPCURI(filePath: "/\u{e9}")
        let decomposed = IPCURI(filePath: "/e\u{301}")
        #expect(composed.path == decomposed.path && composed != decomposed)
        #expect(Set([composed, decomposed, IPCURI(filePath: "/\u{e9}")]).count == 2)
        // Components do not run into each other.
        #expect(IPCURI(scheme: "a", query: "b") != IPCURI(scheme: "a", fragment: "b"))
    }
}
