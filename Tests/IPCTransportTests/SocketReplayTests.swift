// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import Testing

@Suite("Recorded conversations with VS Code, over sockets")
struct SocketReplayTests {
    @Test(
        "A server sends what VS Code's server sent, byte for byte and nothing more",
        arguments: Replay.conversations,
        [Road.unix, .tls]
    )
    func server(name: String, road: Road) async throws {
        let harbour = try await Harbour(road)
        try await Replay.server(
            name,
            over: {
                let peer = try await PlainConnection.connect(to: harbour.endpoint(road))
                return (tested: try await harbour.accept(), peer: peer)
            }
        )
        await harbour.listener.close()
    }

    @Test(
        "A client sends what VS Code's client sent, byte for byte and nothing more",
        arguments: Replay.conversations,
        [Road.unix, .tls]
    )
    func client(name: String, road: Road) async throws {
        let harbour = try await Harbour(road)
        try await Replay.client(
            name,
            over: {
                let tested = try await PlainConnection.connect(to: harbour.endpoint(road))
                return (tested: tested, peer: try await harbour.accept())
            }
        )
        await harbour.listener.close()
    }
}
