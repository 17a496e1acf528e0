// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("ipc-gateway trace", .serialized)
struct TraceTests {
    /// A trace that stands in front of a server.
    private struct Tap {
        let child: ChildProcess
        let path: String

        init(_ directory: TemporaryDirectory, server: String, _ words: [String] = []) async throws {
            let path = directory.file("tap.sock")
            self.path = path
            let child = try ChildProcess(
                [try GatewayProcess.program(), "trace", "--unix", server, "--listen", path] + words
            )
            self.child = child
            try await eventually("the tap listens: \(child.errors)") { child.errors.contains("ctrl-C ends it") }
        }

        /// Its lines, without their times.
        var lines: [String] {
            child.output.split(separator: "\n").map { line in
                let words = line.drop { $0 == " " }.drop { $0 != " " }.dropFirst()
                return String(words.split(separator: " (", maxSplits: 1)[0])
            }
        }

        func stop() async throws {
            child.signal(SIGINT)
            #expect(try await child.end(within: .seconds(5)) == 0)
            #expect(access(path, F_OK) != 0, "its socket is removed")
        }
    }

    @Test("shows what a client and a server say, records it, and shows the recording")
    func live() async throws {
        let stage = try await CommandStage()
        let recording = stage.directory.file("recording.jsonl")
        let tap = try await Tap(stage.directory, server: stage.socket, ["--record", recording])
        let call = ["call", "--unix", tap.path, "--context", "me", "test"]
        #expect(try await stage.run(call + ["echo", "[1,2]"]).output == "[1,2]\n")
        #expect(try await stage.run(call + ["fail"]).status == 1)
        let expected = [
            "#1 connected", "#1 → context \"me\"", "#1 → initialize", "#1 ← initialize",
            "#1 → call 0 test.echo [1,2]", "#1 ← success 0 test.echo [1,2]", "#1 → end", "#1 ← end", "#1 closed",
            "#2 connected", "#2 → context \"me\"", "#2 → initialize", "#2 ← initialize", "#2 → call 0 test.fail",
            #"#2 ← failure 0 test.fail TypeError: no \u001b[31m"#, "#2 → end", "#2 ← end", "#2 closed",
        ]
        try await eventually("everything is shown: \(tap.lines)") { tap.lines.count == expected.count }
        #expect(tap.lines == expected)
        try await tap.stop()
        let again = try await stage.run(["trace", recording])
        #expect(again.status == 0)
        #expect(
            again.output.split(separator: "\n")
                == tap.child.output.split(separator: "\n").filter { $0.contains("→") || $0.contains("←") }
        )
        #expect(
            try await stage.run(["trace", "-"], input: String(contentsOfFile: recording, encoding: .utf8)) == again
        )
        let attributes = try FileManager.default.attributesOfItem(atPath: recording)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }

    @Test("passes every byte on, whatever it is, the ends too, and goes on after garbage")
    func transparent() async throws {
        let directory = try TemporaryDirectory()
        let upstream = try RecordingUpstream(path: directory.file("up.sock"))
        let tap = try await Tap(directory, server: upstream.path)
        let noise = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 3) }
        let client = try BlockingStream(unix: tap.path)
        try client.send(noise)
        client.finishSending()
        let server = try upstream.connection()
        #expect(try server.receiveToEnd() == noise)
        try server.send(Array("late words".utf8))
        #expect(
            try client.receive(milliseconds: patient(5_000)) == .bytes(Array("late words".utf8)),
            "the other way is open"
        )
        server.close()
        #expect(try client.receive(milliseconds: patient(5_000)) == .end(inOrder: true))
        let second = try BlockingStream(unix: tap.path)
        try second.send(TestClient.opening())
        try upstream.connection(1).receive(count: TestClient.opening().count)
        try await eventually("it is shown: \(tap.lines)") { tap.lines.last == "#2 → initialize" }
        #expect(tap.lines.contains { $0.hasPrefix("#1 → unreadable: a frame announces a body of") })
        try await tap.stop()
    }

    @Test("shows a client and its last words that left before the server was reached")
    func hastyClient() async throws {
        let directory = try TemporaryDirectory()
        let tap = try await Tap(directory, server: directory.file("up.sock"))
        _ = try BlockingStream(unix: tap.path)
        try await eventually("the failure is shown: \(tap.lines)") { tap.lines.contains("#1 closed") }
        #expect(tap.lines[0].contains("cannot connect to unix:"))
        let upstream = try RecordingUpstream(path: directory.file("up.sock"))
        for number in 0..<10 {
            do {
                let client = try BlockingStream(unix: tap.path)
                try client.send(TestClient.opening())
            }
            #expect(try upstream.connection(number).receiveToEnd() == TestClient.opening())
            try upstream.connection(number).close()
        }
        try await eventually("all have ended") { tap.lines.count { $0.hasSuffix("closed") } == 11 }
        try await tap.stop()
    }

    @Test("makes whoever sends wait while the other side does not read")
    func backPressure() async throws {
        let directory = try TemporaryDirectory()
        let upstream = try RecordingUpstream(path: directory.file("up.sock"), isPaused: true)
        let tap = try await Tap(directory, server: upstream.path)
        let path = tap.path
        let bytes = Frame.regular(IPCMessage.event(id: 0, payload: .buffer([UInt8](repeating: 7, count: 10_000))))
            .encoded()
        let total = 3_000
        let sending = Background {
            let client = try BlockingStream(unix: path)
            for _ in 0..<total { try client.send(bytes) }
            client.finishSending()
        }
        let server = try upstream.connection()
        try await eventually("something passes") { !tap.lines.isEmpty }
        letTimePass(milliseconds: 300)
        #expect(!sending.isDone)
        #expect(tap.lines.count < total / 2)
        server.setPaused(false)
        #expect(try server.receiveToEnd(within: .seconds(30)).count == total * bytes.count)
        _ = try sending.value()
        try await tap.stop()
    }

    @Test("replaces a socket that nobody listens at, and no other file")
    func staleSocket() async throws {
        let stage = try await CommandStage()
        let first = try await Tap(stage.directory, server: stage.socket)
        first.child.signal(SIGKILL)
        try await first.child.end()
        #expect(access(first.path, F_OK) == 0)
        let second = try await Tap(stage.directory, server: stage.socket)
        let third = try await stage.run(["trace", "--unix", stage.socket, "--listen", second.path])
        #expect(third.status == 69)
        #expect(third.errors.contains("another server listens there"))
        try await second.stop()
        let file = try stage.directory.write("precious", to: "file")
        #expect(try await stage.run(["trace", "--unix", stage.socket, "--listen", file]).status == 69)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "precious")
    }

    @Test("ends quietly when nobody reads its lines")
    func brokenPipe() async throws {
        let stage = try await CommandStage()
        let path = stage.directory.file("tap.sock")
        let script = #"("$0" trace --unix "$1" --listen "$2"; echo "status $?" >&2) | head -1"#
        let child = try ChildProcess(["/bin/sh", "-c", script, try GatewayProcess.program(), stage.socket, path])
        try await eventually("the tap listens") { child.errors.contains("ctrl-C ends it") }
        for _ in 0..<2 { _ = try await stage.run(["call", "--unix", path, "test", "echo"]) }
        try await child.end()
        #expect(child.output.contains("#1 connected"))
        #expect(child.errors.hasSuffix("status 0\n"))
    }

    @Test("shows raw bytes of one direction")
    func raw() async throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("raw")
        try Data(TestClient.opening(context: "me") + [1, 2]).write(to: URL(fileURLWithPath: file))
        let child = try ChildProcess([try GatewayProcess.program(), "trace", "--raw", "c2s", file])
        #expect(try await child.end() == 0)
        #expect(
            child.output == "→ context \"me\"\n→ initialize\n→ end — inside a frame, of which 2 bytes had come\n"
        )
    }

    @Test("says which lines of a recording nobody can read, shows the others, and ends with 1")
    func damagedRecording() async throws {
        let stage = try await CommandStage()
        let good = #"{"at":1,"connection":3,"direction":"s2c","hex":"01000000000000000000000006040106c80100"}"#
        let result = try await stage.run(["trace", "-"], input: "\(good)\nnonsense\n\n\(good)\n{}")
        #expect(result.status == 1)
        #expect(result.output == "   0.001 #3 ← initialize\n   0.001 #3 ← initialize\n")
        #expect(result.errors.contains("standard input:2: this is not a JSON object"))
        #expect(result.errors.contains("standard input:5: "))
        let other = try await stage.run(["trace", try GatewayProcess.program()])
        #expect(other.status == 1)
        #expect(other.errors.contains("is not a recording"))
        #expect(other.errors.contains("--raw c2s"))
        #expect(try await stage.run(["trace", "/nowhere"]).status == 1)
    }

    @Test(
        "refuses wrong usage with 64",
        arguments: [
            [], ["--unix", "x"], ["--listen", "x"], ["--unix", "x", "--listen", "y", "file"],
            ["--record", "x", "file"],
            ["--raw", "up", "file"], ["--raw", "c2s"], ["--width", "-1", "file"],
        ]
    )
    func usage(words: [String]) async throws {
        let child = try ChildProcess([try GatewayProcess.program(), "trace"] + words)
        #expect(try await child.end() == 64)
    }
}
