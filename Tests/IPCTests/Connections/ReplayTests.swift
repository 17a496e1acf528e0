// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Recorded conversations with VS Code, in memory")
struct ReplayTests {
    private static let pair: Replay.MakeEnds = { MessagePair.make() }

    @Test("A server sends what VS Code's server sent, byte for byte and nothing more", arguments: Replay.conversations)
    func server(name: String) async throws {
        try await Replay.server(name, over: Self.pair)
    }

    @Test("A client sends what VS Code's client sent, byte for byte and nothing more", arguments: Replay.conversations)
    func client(name: String) async throws {
        try await Replay.client(name, over: Self.pair)
    }

    @Test("Odd requests are refused, ignored or answered as documented", arguments: try OddRequest.all())
    func odd(request: OddRequest) async throws {
        try await request.play(to: .strict, over: Self.pair)
        try await request.play(to: .lenient, over: Self.pair)
    }

    @Test("Every plain conversation is played")
    func complete() throws {
        let played = Set(Replay.conversations + ["raw-odd-requests"])
        let plain = try Vectors.conversationNames().filter { $0 != "remote-handshake" }
        #expect(Set(plain) == played)
        #expect(Replay.deviations.allSatisfy { played.contains($0.conversation) })
        let odd = Set(try OddRequest.all().map(\.name))
        #expect(Set(OddRequest.verdicts.keys).isSubset(of: odd))
    }
}
