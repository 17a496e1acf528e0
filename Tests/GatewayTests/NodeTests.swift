// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

extension Node {
    /// Starts the careless server and waits until it listens.
    fileprivate static func server(_ path: String) throws -> ChildProcess {
        let server = try run("server.mjs", [path])
        try eventually("the Node server listens: \(server.errors)") { server.output.contains("listening") }
        return server
    }
}

@Suite(
    "Servers and clients in Node",
    .blocking,
    .enabled(if: Node.isHere || Node.isRequired, "node is missing, so nothing about Node is tested here")
)
struct NodeTests {
    /// What kills the careless server, and why it stands for many.
    static let deadly = [
        MalformedFrame("JSON of no bytes", message: MalformedFrame.call(body: [5, 0]), "invalid-json"),
        MalformedFrame("JSON that ends too early", message: MalformedFrame.call(body: [5, 1, 123]), "invalid-json"),
        MalformedFrame("no message at all", message: [], "truncated"),
        MalformedFrame("an unknown tag as the header", message: [7, 0], "header-not-array"),
        MalformedFrame(
            "arrays 10,000 deep",
            message: MalformedFrame.call(body: (0..<9_999).flatMap { _ in [UInt8(4), 1] } + [4, 0]),
            "too-deep"
        ),
    ]

    @Test("Without a gateway one malformed frame ends the careless server", arguments: deadly)
    func direct(_ malformed: MalformedFrame) throws {
        let directory = try TemporaryDirectory()
        let server = try Node.server(directory.file("node.sock"))
        let stream = try BlockingStream(unix: directory.file("node.sock"))
        try stream.send(TestClient.opening() + malformed.bytes)
        #expect(try server.wait() == 1, "\(server.errors)")
    }

    @Test("Behind the gateway the same server survives every malformed frame, and goes on answering")
    func survival() throws {
        let directory = try TemporaryDirectory()
        let server = try Node.server(directory.file("node.sock"))
        let bench = try GatewayBench(upstream: .at(directory.file("node.sock")))
        let call = Frame.regular(MalformedFrame.call).encoded()
        let answer = Frame.regular(IPCMessage.success(id: 0, result: [5, "text"])).encoded()
        let cases =
            MalformedFrame.messages + MalformedFrame.cutMessages + MalformedFrame.frames.suffix(40) + Self.deadly
        for (index, malformed) in cases.enumerated() {
            let client = try bench.open()
            client.send(call)
            #expect(
                try client.receive(count: RecordingUpstream.initialize.count + answer.count).suffix(answer.count)
                    == answer[...]
            )
            client.send(malformed.bytes)
            #expect(try client.receiveToEnd() == .inOrder)
            #expect(try bench.gateway.waitForClosings(index + 1)["reason"] == malformed.reason, "\(malformed.name)")
            try #require(server.status == nil, "\(malformed.name) ended the server: \(server.errors)")
        }
        for malformed in MalformedFrame.contexts {
            let client = try bench.connect()
            client.send(malformed.bytes)
            #expect(try client.receiveToEnd() == .inOrder)
        }
        let client = try bench.open()
        client.send(call)
        try client.receive(count: RecordingUpstream.initialize.count + answer.count)
        #expect(client.frames.last?.encoded() == answer)
        #expect(server.status == nil)
    }

    private struct ClientResult: Decodable, Equatable {
        struct Failure: Decodable, Equatable {
            var kind: Int
            var name: String
        }

        var whoami: String
        var sum: Int
        var echoes: Bool
        var ticks: Bool
        var cancelled: Failure
        var denied: Failure
        var `protocol`: String?
    }

    private static func runClient(_ socket: String) throws -> ClientResult {
        let bench = try GatewayBench(upstream: .at(socket)) { configuration in
            configuration.clients = [
                #"{ match: { uri: "spiffe://example.org/dev/*" }, context: "remote:{uri.lastComponent}", "#
                    + #"allow: [{ channel: sample, call: ["*"], listen: ["*"] }] }"#
            ]
        }
        let files = try bench.alice()
        let client = try Node.run(
            "client.mjs",
            ["\(bench.gateway.port)", files.certificate, files.key, bench.authority.caFile]
        )
        #expect(try client.wait() == 0, "\(client.errors)")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "finished")
        return try JSONDecoder().decode(ClientResult.self, from: Data(client.output.utf8))
    }

    @Test("A client in Node does the same over a Unix socket")
    func localNode() throws {
        let directory = try TemporaryDirectory()
        let server = try Node.server(directory.file("node.sock"))
        let bench = try GatewayBench.local(upstream: .at(directory.file("node.sock"))) { configuration in
            configuration.clients = [
                #"{ match: { uid: "\#(getuid())" }, context: "remote:alice", "#
                    + #"allow: [{ channel: sample, call: ["*"], listen: ["*"] }] }"#
            ]
        }
        let client = try Node.run("client.mjs", [bench.localSocket])
        #expect(try client.wait() == 0, "\(client.errors)")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "finished")
        var expected = Self.expected(cancelled: "Canceled")
        expected.protocol = nil
        #expect(try JSONDecoder().decode(ClientResult.self, from: Data(client.output.utf8)) == expected)
        #expect(server.status == nil)
    }

    private static func expected(cancelled name: String) -> ClientResult {
        ClientResult(
            whoami: "remote:alice",
            sum: 9,
            echoes: true,
            ticks: true,
            cancelled: .init(kind: 202, name: name),
            denied: .init(kind: 202, name: "AccessDenied"),
            protocol: "vscode-ipc"
        )
    }

    @Test("A client in Node calls, listens and cancels through the gateway at a server in Node")
    func nodeToNode() throws {
        let directory = try TemporaryDirectory()
        let server = try Node.server(directory.file("node.sock"))
        #expect(try Self.runClient(directory.file("node.sock")) == Self.expected(cancelled: "Canceled"))
        #expect(server.status == nil)
    }

    @Test("A client in Node calls and listens through the gateway at the sample server")
    func nodeToSample() throws {
        let directory = try TemporaryDirectory()
        let server = try SampleServer(directory.file("sample.sock"))
        // The sample server answers every call before it could be cancelled.
        #expect(try Self.runClient(directory.file("sample.sock")) == Self.expected(cancelled: "Error"))
        try server.stop()
    }
}
