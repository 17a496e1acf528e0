// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("A responder")
struct ChannelResponderTests {
    /// Replays the requests of a conversation and answers as the real server did; the answers have to be its bytes.
    private func replay(_ name: String) throws -> ChannelResponder {
        var responder = ChannelResponder()
        for step in try Vectors.conversation(name).frames.dropFirst(3) {
            let message = try IPCMessage.decode(step.body)
            if step.direction == .clientToServer {
                #expect(responder.receive(message) != .ignore, "\(name)")
            } else {
                #expect(answer(message, with: &responder) == step.body, "\(name)")
                if case .event = message { continue }
                #expect(answer(message, with: &responder) == nil, "\(name): each call is answered once")
            }
        }
        return responder
    }

    private func answer(_ message: DecodedMessage, with responder: inout ChannelResponder) -> [UInt8]? {
        switch message {
        case .success(let id, let result):
            return responder.succeed(id, with: result)
        case .failureValue(let id, let value):
            return responder.fail(id, with: value)
        case .failure(let id, let error):
            let stack = error["stack"]?.array?.compactMap(\.string)
            return responder.fail(
                id,
                name: error["name"]?.string ?? "",
                message: error["message"]?.string ?? "",
                stack: stack
            )
        case .event(let id, let payload):
            return responder.fire(id, payload: payload)
        default:
            return nil
        }
    }

    @Test(
        "answers recorded requests with the recorded bytes, each once, and keeps nothing",
        arguments: ["call-success", "call-error", "cancel", "events", "before-initialize", "big"]
    )
    func recorded(name: String) throws {
        #expect(try replay(name).openCount == 0)
    }

    @Test("hands the application what was asked")
    func requests() {
        var responder = ChannelResponder()
        #expect(
            responder.receive(.call(id: 0, channel: "c", command: "x", argument: [1]))
                == .call(id: 0, channel: "c", command: "x", argument: [1])
        )
        #expect(
            responder.receive(.listen(id: 1, channel: "c", event: "onX", argument: .undefined))
                == .listen(id: 1, channel: "c", event: "onX", argument: .undefined)
        )
        #expect(responder.receive(.initialize) == .ignore)
        #expect(responder.receive(.success(id: 0, result: 1)) == .ignore)
        #expect(responder.openCount == 2)
    }

    @Test("lets either of cancel and dispose close what has the id, and still answers a cancelled call once")
    func closing() {
        var responder = ChannelResponder()
        _ = responder.receive(.call(id: 0, channel: "c", command: "x", argument: .undefined))
        _ = responder.receive(.listen(id: 1, channel: "c", event: "onX", argument: .undefined))
        #expect(responder.receive(.unlisten(id: 0)) == .cancel(id: 0))
        #expect(responder.receive(.cancel(id: 0)) == .ignore)
        #expect(responder.receive(.cancel(id: 1)) == .unlisten(id: 1))
        #expect(responder.fire(1) == nil)
        #expect(responder.receive(.cancel(id: 77)) == .ignore)
        #expect(responder.succeed(0, with: "late") == IPCMessage.success(id: 0, result: "late"))
        #expect(responder.succeed(0) == nil)
    }

    @Test("refuses an id that is still open")
    func duplicates() {
        var responder = ChannelResponder()
        let call = DecodedMessage.call(id: 4, channel: "c", command: "x", argument: .undefined)
        _ = responder.receive(call)
        #expect(responder.receive(call) == .duplicateID(4))
        #expect(responder.receive(.listen(id: 4, channel: "c", event: "onX", argument: .null)) == .duplicateID(4))
        #expect(responder.fire(4) == nil)
        _ = responder.succeed(4)
        #expect(responder.receive(call) != .duplicateID(4))
    }

    @Test("says on disposal what has to be stopped")
    func dispose() {
        var responder = ChannelResponder()
        for id: UInt64 in [2, 0, 1] {
            _ = responder.receive(.call(id: id, channel: "c", command: "x", argument: .undefined))
        }
        _ = responder.receive(.listen(id: 3, channel: "c", event: "onX", argument: .undefined))
        _ = responder.receive(.cancel(id: 1))
        #expect(responder.dispose() == [.cancel(id: 0), .cancel(id: 2), .unlisten(id: 3)])
        #expect(responder.openCount == 0)
        #expect(responder.succeed(0) == nil)
    }

    @Test("opens a connection as recorded: context and Initialize in one write, then the server's Initialize")
    func opening() throws {
        for name in ["connect", "connect-object-ctx"] {
            let frames = try Vectors.conversation(name).frames
            let context = try #require(frames.first?.value)
            let client = frames.filter { $0.write == 1 }.flatMap { $0.frame.encoded() }
            #expect(ConnectionOpening.client(context: context) == client)
            #expect(ConnectionOpening.server == frames[2].frame.encoded())

            var opening = ServerOpening()
            let messages = frames.prefix(2).map(\.body)
            let received = try messages.map { try opening.receive($0.span) }
            #expect(received == [.context(context), .message(.initialize)])
        }
    }

    @Test("does not take a broken context")
    func brokenContext() {
        var opening = ServerOpening()
        let bytes: [UInt8] = [5, 1, 0x7b]
        #expect(throws: WireError.self) { try opening.receive(bytes.span) }
    }
}
