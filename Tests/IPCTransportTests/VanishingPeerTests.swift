// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import Testing

@Suite("Peers that vanish")
struct VanishingPeerTests {
    /// Answers everything.
    private struct Echo: ServerChannel {
        func call(_ context: String, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue { argument }
    }

    @Test("A server survives clients that ask and are gone before the answer, again and again")
    func gone() async throws {
        let directory = try TemporaryDirectory()
        let server = IPCServer<String>()
        server.registerChannel("echo", Echo())
        let path = directory.file("echo.sock")
        let listener = try await server.serve(.unix(path))
        // Request and end arrive in one read, so that the answer is written to a socket that is closed already.
        let request =
            Frame.regular(IPCMessage.context("x")).encoded() + Frame.regular(IPCMessage.initialize).encoded()
            + (0..<20).flatMap { id in
                Frame.regular(IPCMessage.call(id: id, channel: "echo", command: "echo", argument: "text")).encoded()
            }
        for _ in 0..<300 {
            try BlockingStream(unix: path).send(request)
        }
        let client = try await IPCClient.connect(to: .unix(path), context: "polite")
        #expect(try await client.channel("echo").call("echo", 5) == 5)
        client.dispose()
        try await eventually("all connections have ended") {
            server.connections.isEmpty && server.openingCount == 0
        }
        server.dispose()
        await listener.close()
    }
}
