// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
import IPCProtocol

/// Plays recorded conversations with one side of this library, through its public interface: everything it sends has to be
/// what VS Code sent, byte for byte, and nothing more.
public enum Replay {
    /// Makes a connection: the end that is tested, and the end of the one that plays the recording. Bodies of Regular frames
    /// travel over it, by whatever means.
    public typealias MakeEnds =
        @Sendable () async throws -> (tested: any MessagePassingProtocol, peer: any MessagePassingProtocol)

    /// The conversations that can be replayed in both roles. `raw-odd-requests` is played request by request instead, see
    /// ``OddRequest``.
    public static let conversations = [
        "before-initialize", "big", "call-error", "call-success", "cancel", "connect", "connect-object-ctx", "dispose",
        "events", "proxy", "reverse", "unknown-channel",
    ]

    /// What this library does otherwise than the recording, on purpose, where a replay comes across it.
    public static let deviations: [(conversation: String, difference: String, reason: String)] = [
        (
            "dispose", "a pending call fails with ConnectionEnd.disposed, not with an Error named Canceled",
            "nobody cancelled it: the caller learns why there is no answer; the bytes are the same"
        )
    ]

    /// An id that no recording uses, for the request at the end that shows that nothing else was sent before.
    private static let fence: UInt64 = 9_000

    /// The library is the server; the recorded client is played.
    public static func server(_ name: String, over makeEnds: MakeEnds) async throws {
        let conversation = try Vectors.conversation(name)
        let ends = try await makeEnds()
        let application = ReplayServer()
        defer { application.shutDown() }
        application.server.accept(ends.tested)
        let peer = RawPeer(over: ends.peer)
        for step in conversation.steps {
            switch step {
            case .event(let prose):
                guard let action = ReplayScripts.server[name]?[prose] else {
                    guard ReplayScripts.client[name]?[prose] != nil else { throw unknown(prose, name) }
                    continue
                }
                try await action(application)
            case .frame(let frame) where frame.direction == .clientToServer:
                peer.send(frame.body)
            case .frame(let frame):
                try await peer.expect(frame.body, "\(name), as a server")
            }
        }
        peer.send(IPCMessage.call(id: fence, channel: "test", command: "echo", argument: "fence"))
        try await peer.expect(IPCMessage.success(id: fence, result: "fence"), "\(name), at the end")
        peer.close()
        try await eventually("the server has forgotten the client") { application.server.connections.isEmpty }
    }

    /// The library is the client; the recorded server is played.
    public static func client(_ name: String, over makeEnds: MakeEnds) async throws {
        let conversation = try Vectors.conversation(name)
        let ends = try await makeEnds()
        let application = ReplayClient(over: ends.tested)
        let peer = RawPeer(over: ends.peer)
        for (index, step) in conversation.steps.enumerated() {
            if let unsaid = ReplayScripts.unsaid[name], unsaid.step == index { try await unsaid.action(application) }
            switch step {
            case .event(let prose):
                guard let action = ReplayScripts.client[name]?[prose] else {
                    guard ReplayScripts.server[name]?[prose] != nil else { throw unknown(prose, name) }
                    continue
                }
                try await action(application)
            case .frame(let frame) where frame.direction == .serverToClient:
                peer.send(frame.body)
            case .frame(let frame):
                try await peer.expect(frame.body, "\(name), as a client")
            }
        }
        if name == "dispose" {
            try await eventually("the client has closed the connection") { peer.end != nil }
        } else {
            peer.send(IPCMessage.call(id: fence, channel: "clientchan", command: "fail"))
            let answer = IPCMessage.failureValue(id: fence, value: "client says no")
            try await peer.expect(answer, "\(name), at the end")
        }
        try await compareOutcomes(of: application, with: conversation)
        peer.close()
    }

    /// Calls have to end as the recorded answers say, unless they were cancelled.
    private static func compareOutcomes(of client: ReplayClient, with conversation: Conversation) async throws {
        var expected: [CallOutcome] = []
        for body in conversation.messages(.serverToClient) {
            switch try IPCMessage.decode(body) {
            case .success(_, let result): expected.append(.success(result))
            case .failure(_, let error): expected.append(.error(RemoteError(body: error)))
            case .failureValue(_, let value): expected.append(.failure(value))
            default: break
            }
        }
        if let special = ReplayScripts.outcomes[conversation.name] { expected = special }
        let found = await client.outcomes()
        if found != expected {
            throw RawPeer.Mismatch(description: "\(conversation.name): calls ended as \(found), not \(expected)")
        }
        let events = ReplayScripts.heard[conversation.name] ?? []
        guard client.heard == events else {
            throw RawPeer.Mismatch(description: "\(conversation.name): heard \(client.heard), not \(events)")
        }
    }

    private static func unknown(_ prose: String, _ name: String) -> Vectors.Malformed {
        Vectors.Malformed(description: "\(name): nobody has a script for “\(prose)”")
    }
}
