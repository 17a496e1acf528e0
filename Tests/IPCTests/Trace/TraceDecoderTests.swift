// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("The trace decoder")
struct TraceDecoderTests {
    /// What passes in a test, and what is shown of it.
    private struct Conversation {
        var decoder = TraceDecoder()
        var entries: [TraceEntry] = []

        mutating func pass(_ direction: TraceDirection, _ bytes: [UInt8], at milliseconds: Double = 0) {
            entries += decoder.receive(bytes.span, direction, at: milliseconds)
        }

        mutating func pass(_ direction: TraceDirection, message: [UInt8], at milliseconds: Double = 0) {
            pass(direction, Frame.regular(message).encoded(), at: milliseconds)
        }

        var texts: [String] { entries.map { "\($0.direction.rawValue) \($0)" } }
    }

    @Test("shows a conversation with the names of requests in their answers, and how long these took")
    func conversation() {
        var talk = Conversation()
        talk.pass(.clientToServer, ConnectionOpening.client(context: "window:1"))
        talk.pass(.serverToClient, ConnectionOpening.server)
        let call = IPCMessage.call(id: 0, channel: "sample", command: "add", argument: [2, 3])
        talk.pass(.clientToServer, message: call, at: 10)
        talk.pass(.clientToServer, message: IPCMessage.listen(id: 1, channel: "sample", event: "onTick"), at: 11)
        talk.pass(.serverToClient, message: IPCMessage.success(id: 0, result: 5), at: 12.5)
        talk.pass(.serverToClient, message: IPCMessage.event(id: 1, payload: 7), at: 13)
        talk.pass(.clientToServer, message: IPCMessage.unlisten(id: 1), at: 14)
        talk.pass(.clientToServer, message: IPCMessage.call(id: 2, channel: "sample", command: "no"), at: 20)
        talk.pass(.clientToServer, message: IPCMessage.cancel(id: 2), at: 20)
        let canceled = IPCMessage.failure(id: 2, name: "Canceled", message: "Canceled")
        talk.pass(.serverToClient, message: canceled, at: 31.25)
        #expect(
            talk.texts == [
                "c2s context \"window:1\"", "c2s initialize", "s2c initialize", "c2s call 0 sample.add [2,3]",
                "c2s listen 1 sample.onTick", "s2c success 0 sample.add 5 (2.5 ms)", "s2c event 1 sample.onTick 7",
                "c2s unlisten 1 sample.onTick", "c2s call 2 sample.no", "c2s cancel 2 sample.no",
                "s2c failure 2 sample.no Canceled: Canceled (11.3 ms)",
            ]
        )
        #expect(talk.entries[3].line(connection: 4) == "   0.010 #4 → call 0 sample.add [2,3]")
        #expect(talk.entries[5].line(connection: 4) == "   0.012 #4 ← success 0 sample.add 5 (2.5 ms)")
    }

    @Test("keeps apart what each side asks under the same number")
    func bothAsk() {
        var talk = Conversation()
        let mine = IPCMessage.call(id: 0, channel: "mine", command: "a")
        let theirs = IPCMessage.call(id: 0, channel: "theirs", command: "b")
        talk.pass(.clientToServer, message: mine)
        talk.pass(.serverToClient, message: theirs)
        talk.pass(.serverToClient, message: IPCMessage.success(id: 0))
        talk.pass(.clientToServer, message: IPCMessage.failureValue(id: 0, value: ["x": 1]))
        #expect(
            talk.texts.suffix(2) == [
                "s2c success 0 mine.a (0.0 ms)", "c2s failure value 0 theirs.b {\"x\":1} (0.0 ms)",
            ]
        )
    }

    @Test("gives the same however the bytes are cut", arguments: [1, 2, 12, 13, 14, 100])
    func pieces(size: Int) {
        let messages = [
            IPCMessage.call(id: 0, channel: "sample", command: "echo", argument: "text"),
            IPCMessage.call(id: 1, channel: "sample", command: "echo", argument: [.null, "é", ["a": 1.5]]),
        ]
        let bytes = ConnectionOpening.client(context: "me") + messages.flatMap { Frame.regular($0).encoded() }
        var whole = Conversation()
        whole.pass(.clientToServer, bytes)
        var cut = Conversation()
        for start in stride(from: 0, to: bytes.count, by: size) {
            cut.pass(.clientToServer, Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(whole.entries.count == 4)
        #expect(cut.entries == whole.entries)
    }

    @Test("joins in the middle, and says that it has not seen the request of an answer")
    func middle() {
        var talk = Conversation()
        talk.pass(.serverToClient, message: IPCMessage.success(id: 9, result: true))
        talk.pass(.clientToServer, message: IPCMessage.call(id: 10, channel: "c", command: "d"))
        #expect(
            talk.texts == ["s2c success 9 true — no open request with this number was seen", "c2s call 10 c.d"]
        )
    }

    @Test("shows frames of other types, and numbers where the protocol has them")
    func otherFrames() {
        var talk = Conversation()
        talk.pass(.clientToServer, Frame(type: .keepAlive).encoded())
        talk.pass(.serverToClient, Frame(type: .ack, ack: 7).encoded())
        let control = Array(#"{"type":"error","code":"draining"}"#.utf8)
        talk.pass(.serverToClient, Frame(type: .control, body: control).encoded())
        talk.pass(.clientToServer, Frame(type: FrameType(rawValue: 77), body: [1, 2]).encoded())
        let call = IPCMessage.call(id: 0, channel: "c", command: "d")
        talk.pass(.clientToServer, Frame(type: .regular, id: 3, ack: 2, body: call).encoded())
        #expect(
            talk.texts == [
                "c2s KeepAlive", "s2c Ack [id 0, ack 7]", #"s2c Control {"type":"error","code":"draining"}"#,
                "c2s type 77 2 bytes: 01 02", "c2s call 0 c.d [id 3, ack 2]",
            ]
        )
    }

    @Test("shows what nobody can read with the reason and its bytes, and goes on")
    func unreadableMessage() {
        var talk = Conversation()
        talk.pass(.serverToClient, message: [9, 9, 9])
        talk.pass(.serverToClient, message: [])
        talk.pass(.serverToClient, message: IPCMessage.initialize)
        #expect(talk.texts[0] == "s2c unreadable: the header of the message is not an array (3 bytes: 09 09 09)")
        #expect(talk.texts[1].hasPrefix("s2c unreadable: the input ends inside a value"))
        #expect(talk.texts[2] == "s2c initialize")
    }

    @Test("shows what only a lenient reader takes as that reader takes it, with a remark")
    func lenient() {
        var talk = Conversation()
        talk.pass(.serverToClient, message: IPCMessage.initialize + [0])
        #expect(talk.texts[0].hasPrefix("s2c initialize — only a lenient reader takes this: there is something after"))
    }

    @Test(
        "gives up on a side whose frames cannot be told apart, however it came, and not on the other",
        arguments: [1, 7, 64]
    )
    func lostSide(size: Int) {
        var talk = Conversation()
        let good = Frame.regular(IPCMessage.initialize).encoded()
        let bad: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]
        let bytes = good + bad + [1, 2, 3]
        for start in stride(from: 0, to: bytes.count, by: size) {
            talk.pass(.serverToClient, Array(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(talk.texts[0] == "s2c initialize")
        #expect(talk.texts[1].hasPrefix("s2c unreadable: a frame announces a body of 4294967295 bytes"))
        #expect(talk.texts[1].contains("01 00 00 00 00 00 00 00 00 ff ff ff ff"), "\(talk.texts[1])")
        #expect(talk.texts.count == 2)
        talk.pass(.serverToClient, good)
        talk.pass(.clientToServer, good)
        #expect(talk.texts.count == 3)
        talk.entries += talk.decoder.finish(.serverToClient, at: 0)
        #expect(talk.texts[3].contains("further bytes were not read"))
    }

    @Test("says at the end that a frame was incomplete")
    func incomplete() {
        var talk = Conversation()
        talk.pass(.clientToServer, Array(ConnectionOpening.client(context: "me").dropLast(2)))
        let ends = talk.decoder.finish(.clientToServer, at: 0) + talk.decoder.finish(.serverToClient, at: 0)
        #expect(ends.map(\.description) == ["end — inside a frame, of which 17 bytes had come", "end"])
    }

    @Test("cuts long values, shows the beginning of buffers, and lets nothing through that does not print")
    func safeText() {
        var talk = Conversation()
        let long = IPCValue(String(repeating: "x", count: 1_000))
        let values: [IPCValue] = [
            long, .array(Array(repeating: 7, count: 1_000)), .vsBuffer(Array(0..<200)), "a\u{1b}[31m\n\u{202e}",
        ]
        for (id, value) in values.enumerated() {
            talk.pass(.serverToClient, message: IPCMessage.event(id: UInt64(id), payload: value))
        }
        let evil = IPCMessage.call(id: 4, channel: "a\u{1b}]0;x", command: "b\r\nc")
        talk.pass(.clientToServer, message: evil)
        let texts = talk.entries.map { $0.text(width: 20) }
        #expect(texts[0].hasPrefix("event 0 \"" + String(repeating: "x", count: 19) + "…"))
        #expect(texts[1].hasPrefix("event 1 [7,7,7,7,7,7,7,7,7,7…"))
        #expect(talk.texts[2].contains("<VSBuffer 200 bytes: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f …>"))
        #expect(talk.texts[3].contains(#""a\u001b[31m\n\u202e""#))
        #expect(talk.texts[4] == #"c2s call 4 a\u001b]0;x.b\u000d\u000ac"#)
    }

    @Test("survives any bytes at all", arguments: 0..<50)
    func garbage(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var talk = Conversation()
        for _ in 0..<40 {
            let direction = Bool.random(using: &generator) ? TraceDirection.clientToServer : .serverToClient
            let noise = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: talk.pass(direction, message: noise)
            case 1: talk.pass(direction, message: IPCMessage.initialize + noise)
            case 2:
                var message = IPCMessage.call(id: 1, channel: "c", command: "d", argument: ["a": [1, 2]])
                let place = Int.random(in: 0..<message.count, using: &generator)
                message[place] = UInt8.random(in: 0...255, using: &generator)
                talk.pass(direction, message: message)
            default: talk.pass(direction, Frame(type: FrameType(rawValue: noise.first ?? 0), body: noise).encoded())
            }
        }
        talk.pass(.clientToServer, (0..<100).map { _ in UInt8.random(in: 0...255, using: &generator) })
        for entry in talk.entries {
            #expect(entry.text(width: 40).unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
        }
        #expect(talk.entries.count >= 30)
    }
}
