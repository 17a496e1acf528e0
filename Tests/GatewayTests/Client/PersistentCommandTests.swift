// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import IPCTransport
import Testing

@Suite("ipc-gateway call and listen with --persistent", .serialized)
struct PersistentCommandTests {
    /// A server of one session, whose connections the test makes end. Its messages are made by hand.
    private final class Server {
        let directory: TemporaryDirectory
        let upstream: RecordingUpstream
        private var session = PersistentSession(startsOpen: false, at: 0)
        private var connection: UpstreamConnection?
        private var readCount = 0
        private var connectionCount = 0
        private(set) var messages: [[UInt8]] = []

        init() throws {
            directory = try TemporaryDirectory()
            upstream = try RecordingUpstream(path: directory.file("server.sock"))
        }

        /// Accepts the program's next connection, and answers its `connect`.
        ///
        /// - Returns: The token that it came with.
        func accept(_ answer: SessionControl = .ok(token: "t", graceTime: 300)) throws -> String? {
            let connection = try upstream.connection(connectionCount)
            if connectionCount > 0 { session.beginReconnection(at: 0) }
            connectionCount += 1
            self.connection = connection
            readCount = 0
            var asked: String??
            try eventually("'connect' comes") {
                append(connection)
                guard case .control(let json) = try session.nextEvent(at: 0),
                    case .connect(let token) = try SessionControl(json)
                else { return false }
                asked = token
                return true
            }
            try session.sendControl(answer.encoded())
            if connectionCount == 1 { session.open(at: 0) } else { session.endReconnection(at: 0) }
            try write()
            return asked ?? nil
        }

        /// Waits until there are so many messages in all.
        func receive(_ count: Int) throws {
            guard let connection else { return }
            try eventually("\(count) messages come") {
                append(connection)
                while case .message(let message) = try session.nextEvent(at: 0) { messages.append(message) }
                return messages.count >= count
            }
        }

        func send(_ message: [UInt8]) throws {
            try session.send(message, at: 0)
            try write()
        }

        /// Loses the connection.
        func lose() {
            session.connectionLost()
            connection?.close()
            connection = nil
        }

        private func append(_ connection: UpstreamConnection) {
            let bytes = Array(connection.received.dropFirst(readCount))
            readCount += bytes.count
            session.append(bytes.span, at: 0)
        }

        private func write() throws {
            guard let connection else { return }
            var bytes: [UInt8] = []
            session.appendOutput(to: &bytes, upTo: .max, at: 0)
            try connection.send(bytes)
        }
    }

    @Test("goes on over another connection, and says so")
    func cut() async throws {
        let server = try Server()
        let words = ["call", "--persistent", "--unix", server.upstream.path, "test", "ask", "1"]
        let child = try ChildProcess([try GatewayProcess.program()] + words)
        #expect(try server.accept() == nil)
        try server.send(IPCMessage.initialize)
        try server.receive(3)
        server.lose()
        #expect(try server.accept() == "t")
        try server.send(IPCMessage.success(id: 0, result: 42))
        #expect(try await child.end() == 0)
        #expect(child.output == "42\n")
        #expect(
            child.errors == """
                connection lost (the peer closed the connection); reconnecting now (attempt 1)
                reconnected after 1 attempt, nothing was lost

                """
        )
        #expect(server.messages.count == 3)
    }

    @Test("ends with 74 when the session may not go on, with the server's reason")
    func refusedResumption() async throws {
        let server = try Server()
        let words = ["listen", "--persistent", "--unix", server.upstream.path, "test", "onEvent"]
        let child = try ChildProcess([try GatewayProcess.program()] + words)
        _ = try server.accept()
        try server.send(IPCMessage.initialize)
        try server.receive(3)
        server.lose()
        _ = try server.accept(.error(.sessionExpired, reason: "too \u{1b}[31mlate"))
        #expect(try await child.end() == 74)
        let path = server.upstream.path
        #expect(
            child.errors == """
                connection lost (the peer closed the connection); reconnecting now (attempt 1)
                error: test.onEvent: the connection ended: unix:\(path): too \\u001b[31mlate (session-expired)

                """
        )
    }

    @Test("ends with 69 where sessions are refused")
    func refused() async throws {
        let server = try Server()
        let words = ["call", "--persistent", "--unix", server.upstream.path, "test", "ask"]
        let child = try ChildProcess([try GatewayProcess.program()] + words)
        _ = try server.accept(.error(.notAllowed, reason: "not here"))
        #expect(try await child.end() == 69)
        #expect(
            child.errors == "error: cannot connect: unix:\(server.upstream.path): not here (not-allowed)\n"
        )
    }

    @Test("is understood by the sample server, which can speak the persistent protocol")
    func sample() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("s.sock")
        let program = try GatewayProcess.program()
        let server = try ChildProcess([program, "demo", "server", "--persistent", "--unix", path])
        try await eventually("it listens") { server.output.hasPrefix("listening on") }
        let call = try ChildProcess([program, "call", "--persistent", "--unix", path, "sample", "add", "[2,3]"])
        #expect(try await call.end() == 0)
        #expect(call.output == "5\n")
        #expect(call.errors.isEmpty)
        let plain = try ChildProcess([program, "call", "--unix", path, "sample", "add", "[2,3]"])
        #expect(try await plain.end() == 69)
        #expect(plain.errors.contains("this server speaks the persistent protocol"))
        server.signal(15)
        #expect(try await server.end() == 0 || server.status == 130)
    }
}
