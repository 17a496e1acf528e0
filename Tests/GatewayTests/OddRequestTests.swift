// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Odd requests that VS Code's server takes one way or another", .blocking)
struct OddRequestTests {
    /// What the gateway makes of a frame.
    enum Verdict: Sendable, Hashable {
        case forwarded
        case swallowed
        case refused(String)
    }

    /// The steps of `conv-raw-odd-requests`, by what stands before them in the record.
    static let verdicts: [(step: String, verdict: Verdict)] = [
        ("request without having sent Initialize", .forwarded),
        ("body missing altogether", .refused("missing-body")),
        ("extra header elements and extra values", .refused("wrong-arity")),
        ("string id", .refused("invalid-id")),
        ("negative id", .refused("invalid-id")),
        ("undefined id", .refused("invalid-id")),
        ("two calls with the same id, first", .refused("missing-body")),
        ("two calls with the same id, second", .forwarded),
        ("command is not a string", .refused("wrong-header-type")),
        ("unknown request type 99", .refused("unknown-message-kind")),
        ("empty body", .refused("truncated")),
        ("header is undefined", .refused("header-not-array")),
        ("header is a number", .refused("header-not-array")),
        ("header array is empty", .refused("wrong-arity")),
        ("header JSON is broken", .refused("header-not-array")),
        ("body JSON is broken", .refused("invalid-json")),
        ("listen to an event the channel does not have", .refused("missing-body")),
        ("cancel of an unknown id", .refused("missing-body")),
        ("dispose of an unknown id", .refused("missing-body")),
        ("the connection still works", .forwarded),
    ]

    /// Further frames that are odd and legal.
    static let further: [(step: String, message: [UInt8], verdict: Verdict)] = [
        ("Initialize twice", IPCMessage.initialize, .swallowed),
        ("cancel of an unknown id, with a body", IPCMessage.cancel(id: 999), .swallowed),
        ("dispose of an unknown id, with a body", IPCMessage.unlisten(id: 999), .swallowed),
        ("an answer to a call that nobody made", IPCMessage.success(id: 3), .swallowed),
        ("an id beyond 32 bits", IPCMessage.call(id: 1 << 40, channel: "c", command: "d"), .forwarded),
        ("the last id", IPCMessage.call(id: (1 << 53) - 1, channel: "c", command: "d"), .forwarded),
        ("empty names", IPCMessage.call(id: 0, channel: "", command: ""), .forwarded),
        ("a name with a NUL", IPCMessage.call(id: 0, channel: "a\0b", command: "d"), .forwarded),
    ]

    @Test("The table has every step of the record")
    func completeness() throws {
        #expect(try Self.steps().map(\.step) == Self.verdicts.map(\.step))
    }

    @Test("Each step is forwarded unchanged, or closes its connection with a named reason")
    func recorded() throws {
        let bench = try GatewayBench()
        var closings = 0
        for (step, frame) in try Self.steps() {
            guard let verdict = Self.verdicts.first(where: { $0.step == step })?.verdict else { continue }
            closings += 1
            try Self.check(step, frame, verdict, bench, closings)
        }
        try bench.gateway.stop()
        #expect(bench.gateway.closings.count == closings)
    }

    @Test("Other odd frames are forwarded unchanged, or swallowed", arguments: further.indices)
    func others(_ index: Int) throws {
        let (step, message, verdict) = Self.further[index]
        try Self.check(step, Frame.regular(message).encoded(), verdict, try GatewayBench(), 1)
    }

    private static func steps() throws -> [(step: String, frame: [UInt8])] {
        var prose = ""
        var steps: [(step: String, frame: [UInt8])] = []
        for step in try Vectors.conversation("raw-odd-requests").steps {
            switch step {
            case .event(let text) where text != "silent" && !text.hasPrefix("server error handler saw"):
                prose = text
            case .frame(let frame) where frame.direction == .clientToServer && prose != "context":
                steps.append((prose, frame.frame.encoded()))
            default:
                break
            }
        }
        return steps
    }

    private static func check(
        _ step: String,
        _ frame: [UInt8],
        _ verdict: Verdict,
        _ bench: GatewayBench,
        _ closings: Int
    ) throws {
        let before = bench.upstream?.connections.count ?? 0
        let client = try bench.open()
        client.send(frame)
        let opening = RecordingUpstream.opening(context: "remote:alice")
        switch verdict {
        case .forwarded:
            let server = try bench.recording().connection(before)
            #expect(try server.receive(count: opening.count + frame.count) == opening + frame, "\(step)")
            client.finishSending()
            #expect(try server.receiveToEnd() == opening + frame, "\(step)")
            server.close()
            #expect(try client.receiveToEnd() == .inOrder)
            #expect(try bench.gateway.waitForClosings(closings)["reason"] == "finished", "\(step)")
        case .swallowed:
            client.finishSending()
            #expect(try client.receiveToEnd() == .inOrder)
            #expect(try bench.gateway.waitForClosings(closings)["reason"] == "finished", "\(step)")
            #expect(try bench.recording().settledConnections().count == before, "\(step)")
        case .refused(let reason):
            #expect(try client.receiveToEnd() == .inOrder)
            #expect(client.errorCode == "malformed", "\(step)")
            #expect(try bench.gateway.waitForClosings(closings)["reason"] == reason, "\(step)")
            let dialled = try bench.recording().settledConnections().count
            #expect(dialled == before, "\(step): nothing of it may reach the upstream")
        }
    }
}
