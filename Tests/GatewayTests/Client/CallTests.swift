// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("ipc-gateway call", .serialized)
struct CallTests {
    @Test("prints the result as one line of JSON and ends with 0")
    func result() async throws {
        let stage = try await CommandStage()
        let result = try await stage.call("test", "echo", #"{"b":[1, 2.5, "é"],"a":null}"#)
        #expect(result == .init(status: 0, output: #"{"b":[1,2.5,"é"],"a":null}"# + "\n", errors: ""))
    }

    @Test("sends undefined, the value, or an array of several; with --service an array always")
    func arguments() async throws {
        let stage = try await CommandStage()
        for words in [[], ["1"], ["1", #""x""#], ["--service"], ["--service", "1"], ["--service", "[1]", "null"]] {
            #expect(try await stage.run(["call", "--unix", stage.socket, "test", "echo"] + words).status == 0)
        }
        #expect(stage.seen.arguments == [.undefined, 1, [1, "x"], [], [1], [[1], .null]])
    }

    @Test("takes JSON and bytes from standard input and files")
    func input() async throws {
        let stage = try await CommandStage()
        #expect(try await stage.call("test", "echo", "-", input: " [1,\n2] ").output == "[1,2]\n")
        let file = try stage.directory.write("hello", to: "bytes")
        let echoed = #"{"type":"VSBuffer","base64":"aGVsbG8="}"#
        #expect(try await stage.call("--buffer", file, "test", "echo").output == echoed + "\n")
        #expect(try await stage.call("--buffer", "-", "test", "echo", "1", input: "hello").output == "[1,\(echoed)]\n")
        #expect(try await stage.call("test", "echo", echoed).output == echoed + "\n")
        #expect(stage.seen.arguments.last == .vsBuffer(Array("hello".utf8)))
        #expect(try await stage.call("--raw", "test", "echo", echoed).output == "hello")
        let missing = try await stage.call("--buffer", "/nowhere/file", "test", "echo")
        #expect(missing.status == 1)
        #expect(missing.errors == "error: /nowhere/file cannot be read: No such file or directory\n")
    }

    @Test("prints texts without quotes with --raw, many lines with --pretty, and undefined as null")
    func forms() async throws {
        let stage = try await CommandStage()
        #expect(try await stage.call("--raw", "test", "echo", #""a\n\"b\"""#).output == "a\n\"b\"\n")
        let pretty = try await stage.call("--pretty", "test", "echo", #"{"a":[1,{}],"b":[]}"#).output
        #expect(pretty == "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}\n")
        #expect(try await stage.call("test", "echo").output == "null\n")
        #expect(try await stage.call("test", "echo", #""\u001b[2J\u0085""#).output == #""\u001b[2J\u0085""# + "\n")
    }

    @Test("announces the context it is told")
    func context() async throws {
        let stage = try await CommandStage()
        #expect(try await stage.call("test", "whoami").output == "\"ipc-gateway\"\n")
        #expect(try await stage.call("--context", "window:1", "test", "whoami").output == "\"window:1\"\n")
        #expect(try await stage.call("--context-json", #"{"id":1}"#, "test", "whoami").output == "{\"id\":1}\n")
    }

    @Test("says what went wrong, with an exit code for each")
    func failures() async throws {
        let stage = try await CommandStage()
        let error = try await stage.call("test", "fail")
        #expect(error.status == 1)
        #expect(error.errors == "error: test.fail failed: TypeError: no \\u001b[31m\n    at here (x.js:1)\n")
        let value = try await stage.call("test", "failValue")
        #expect(value.status == 2)
        #expect(value.errors.split(separator: "\n").last == #"{"code":5}"#)
        let unknown = try await stage.call("nothing", "echo")
        #expect(unknown.status == 3)
        #expect(unknown.errors.hasPrefix("error: the server has no channel 'nothing'"))
        let late = try await stage.call("--timeout", "0.3", "test", "never")
        #expect(late.status == 124)
        #expect(late.errors == "error: test.never: no answer within 0.3 s\n")
        try await eventually("the call was cancelled") { stage.seen.cancelledCount == 1 }
        for result in [error, value, unknown, late] { #expect(result.output.isEmpty) }
    }

    @Test("ends with 69 when it cannot connect", arguments: ["--unix", "--tcp", "--host"])
    func noConnection(option: String) async throws {
        let stage = try await CommandStage()
        let ca = try TestAuthority.shared().caFile
        let words =
            switch option {
            case "--unix": ["--unix", stage.directory.file("nobody.sock")]
            case "--tcp": ["--tcp", "127.0.0.1:1"]
            default: ["--host", "127.0.0.1:1", "--ca", ca]
            }
        let result = try await stage.run(["call"] + words + ["test", "echo"])
        #expect(result.status == 69)
        #expect(result.errors.hasPrefix("error: cannot connect: "), "\(result.errors)")
    }

    @Test("ends with 74 when the connection ends before the answer")
    func connectionEnds() async throws {
        let stage = try await CommandStage()
        let child = try stage.start("call", "--unix", stage.socket, "test", "never")
        try await eventually("the handler runs") { stage.seen.startedCount == 1 }
        stage.server.dispose()
        #expect(try await child.end() == 74)
        #expect(child.errors.hasPrefix("error: test.never: the connection ended: "))
    }

    @Test("ends with 130 on ctrl-C and SIGTERM, and the handler is cancelled", arguments: [SIGINT, SIGTERM])
    func interrupted(signal: Int32) async throws {
        let stage = try await CommandStage()
        let child = try stage.start("call", "--unix", stage.socket, "test", "never")
        try await eventually("the handler runs") { stage.seen.startedCount == 1 }
        child.signal(signal)
        #expect(try await child.end(within: .seconds(5)) == 130)
        #expect(stage.seen.cancelledCount == 1)
        #expect(child.output.isEmpty)
    }

    @Test("tells the server that the call is cancelled, in so many words")
    func cancelIsSent() async throws {
        let directory = try TemporaryDirectory()
        let upstream = try RecordingUpstream(path: directory.file("up.sock"))
        let words = [try GatewayProcess.program(), "call", "--unix", upstream.path, "--context", "me", "a", "b"]
        let child = try ChildProcess(words)
        let server = try upstream.connection()
        let opening = RecordingUpstream.opening(context: "me")
        try server.receive(count: opening.count)
        try server.send(RecordingUpstream.initialize)
        let call = Frame.regular(IPCMessage.call(id: 0, channel: "a", command: "b")).encoded()
        try server.receive(count: opening.count + call.count)
        child.signal(SIGINT)
        let cancel = Frame.regular(IPCMessage.cancel(id: 0)).encoded()
        #expect(try server.receiveToEnd() == opening + call + cancel)
        #expect(try await child.end() == 130, "although the server does not end the connection")
    }

    @Test("ends at a second ctrl-C, and soon after the first, when the server never says that it is ready")
    func stubbornServer() async throws {
        let directory = try TemporaryDirectory()
        let upstream = try RecordingUpstream(path: directory.file("up.sock"))
        let words = [try GatewayProcess.program(), "call", "--unix", upstream.path, "a", "b"]
        for signals in 1...2 {
            let child = try ChildProcess(words)
            _ = try upstream.connection(signals - 1)
            for _ in 0..<signals { child.signal(SIGINT) }
            let status = try await child.end(within: .seconds(5))
            // Before the program listens to signals they do what they always do.
            #expect(status == 130 || status == -SIGINT)
        }
        let late = try ChildProcess(words + ["--timeout", "0.2"])
        #expect(try await late.end() == 124)
    }

    @Test(
        "refuses wrong usage with 64",
        arguments: [
            [], ["--unix", "x"], ["--unix", "x", "a"], ["a", "b"], ["--unix", "x", "--tcp", "h:1", "a", "b"],
            ["--host", "h", "a", "b"], ["--host", "h", "--ca", "x", "--cert", "y", "a", "b"], ["--tcp", "h", "a", "b"],
            ["--unix", "x", "--ca", "y", "a", "b"], ["--unix", "x", "--port", "1", "a", "b"],
            ["--host", "h:0", "--ca", "y", "a", "b"], ["--host", "[::1", "--ca", "y", "a", "b"],
            ["--unix", "x", "--timeout", "0", "a", "b"], ["--unix", "x", "--timeout", "soon", "a", "b"],
            ["--unix", "x", "--raw", "--pretty", "a", "b"], ["--unix", "x", "a", "b", "-", "-"],
            ["--unix", "x", "--context", "a", "--context-json", "1", "a", "b"],
        ]
    )
    func usage(words: [String]) async throws {
        let child = try ChildProcess([try GatewayProcess.program(), "call"] + words)
        #expect(try await child.end() == 64)
        #expect(child.errors.hasPrefix("Error: "))
    }

    @Test("says which argument is not JSON, and what a text needs")
    func notJSON() async throws {
        let stage = try await CommandStage()
        let result = try await stage.call("test", "echo", "1", "blue")
        #expect(result.status == 64)
        #expect(result.errors.hasPrefix("error: argument 2 is not JSON at byte 0: 'blue'; a text needs quotes"))
        #expect(stage.seen.arguments.isEmpty)
    }

    @Test("has help with examples and exit codes", arguments: ["call", "listen", "trace"])
    func help(command: String) async throws {
        let child = try ChildProcess([try GatewayProcess.program(), command, "--help"])
        #expect(try await child.end() == 0)
        for words in ["ipc-gateway \(command) --unix", "Examples:", "Exit codes:", "USAGE: "] {
            #expect(child.output.contains(words), "\(words)")
        }
    }
}
