// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Messages")
struct MessageTests {
    /// The messages of a conversation after the context.
    private func channelMessages(_ conversation: Conversation) -> [Conversation.FrameStep] {
        var isContext = true
        return conversation.frames.filter { step in
            defer {
                if step.direction == .clientToServer { isContext = false }
            }
            return step.direction == .serverToClient || !isContext
        }
    }

    @Test("of all recorded conversations are accepted, decoded and encoded again to the same bytes")
    func conversations() throws {
        let names = try Vectors.conversationNames()
        #expect(names.count >= 13)
        for name in names {
            let conversation = try Vectors.conversation(name)
            #expect(conversation.name == name)
            guard name != "raw-odd-requests" else { continue }
            for step in channelMessages(conversation) {
                #expect(inspectError(step.body) == nil, "\(name): \(step.body.prefix(40).map { $0 })")
                let inspected = try InspectedMessage(step.body.span)
                var header: [UInt8] = []
                ValueEncoder.append(try #require(step.header), to: &header)
                #expect(inspected.bodyOffset == header.count, "\(name)")
                let decoded = try IPCMessage.decode(step.body)
                #expect(try IPCMessage.decode(step.body, mode: .lenient) == decoded, "\(name)")
                #expect(encode(decoded) == step.body, "\(name)")
                var renumbered: [UInt8] = []
                inspected.append(step.body.span, renumberedTo: inspected.id ?? 0, to: &renumbered)
                #expect(renumbered == step.body, "\(name)")
            }
        }
    }

    @Test("that are odd get the verdict we chose, whatever VS Code did with them")
    func oddRequests() throws {
        let expected: [(note: String, code: WireError.Code?)] = [
            ("request without having sent Initialize", nil),
            ("body missing altogether", .missingBody),
            ("extra header elements and extra values", .wrongArity),
            ("string id", .invalidID),
            ("negative id", .invalidID),
            ("undefined id", .invalidID),
            ("two calls with the same id, first", .missingBody),
            ("two calls with the same id, second", nil),
            ("command is not a string", .wrongHeaderType),
            ("unknown request type 99", .unknownMessageKind),
            ("empty body", .truncated),
            ("header is undefined", .headerNotArray),
            ("header is a number", .headerNotArray),
            ("header array is empty", .wrongArity),
            ("header JSON is broken", .headerNotArray),
            ("body JSON is broken", .invalidJSON),
            ("listen to an event the channel does not have", .missingBody),
            ("cancel of an unknown id", .missingBody),
            ("dispose of an unknown id", .missingBody),
            ("the connection still works", nil),
        ]
        var note = ""
        var verdicts: [(note: String, code: WireError.Code?)] = []
        for step in try Vectors.conversation("raw-odd-requests").steps {
            switch step {
            case .event(let prose):
                note = prose
            case .frame(let frame) where frame.direction == .clientToServer && note != "context":
                verdicts.append((note, inspectError(frame.body)?.code))
            case .frame(let frame) where frame.body.starts(with: [4, 2, 6, 0xc9, 1, 6]):
                // What the real server answered to ids that we accept.
                #expect(inspectError(frame.body) == nil || note == "negative id")
            case .frame:
                break
            }
        }
        #expect(verdicts.map(\.note) == expected.map(\.note))
        for (verdict, wanted) in zip(verdicts, expected) {
            #expect(verdict.code == wanted.code, "\(wanted.note)")
        }
    }

    @Test("say where their names are")
    func names() throws {
        let bytes = IPCMessage.listen(id: 7, channel: "é", event: "onDid", argument: [1])
        let inspected = try InspectedMessage(bytes.span)
        guard case .listen(id: 7, let channel, let event) = inspected.kind else {
            Issue.record("not a subscription")
            return
        }
        #expect(Array(bytes[channel]) == [0xc3, 0xa9])
        #expect(String(decoding: bytes[event], as: UTF8.self) == "onDid")
        #expect(Array(bytes[inspected.bodyOffset...]) == [4, 1, 6, 1])
    }

    @Test("carry ids up to 2⁵³−1 in the one form VS Code writes them")
    func ids() throws {
        for id: UInt64 in [0, 1, 127, 128, 2_147_483_647, 2_147_483_648, 4_294_967_296, 9_007_199_254_740_991] {
            let bytes = IPCMessage.cancel(id: id)
            #expect(try InspectedMessage(bytes.span).kind == .cancel(id: id))
            let asNumber: IPCValue = [101, IPCValue(Int(id))]
            #expect(bytes == ValueEncoder.encode(asNumber) + [0])
        }
        for text in [
            "0", "5", "2147483647", "02147483648", "9007199254740992", "90071992547409910", "2147483648.0",
            "2.147483648e9", " 2147483648", "2147483648 ", "-2147483648", "+2147483648", "", "null",
        ] {
            let bytes: [UInt8] = [4, 2, 6, 101, 5, UInt8(text.utf8.count)] + Array(text.utf8) + [0]
            #expect(inspectError(bytes)?.code == .invalidID, "\(text)")
        }
        for value: [UInt8] in [[0], [1, 1, 0x35], [4, 0], [2, 0], [6, 0xff, 0xff, 0xff, 0xff, 0x0f]] {
            #expect(inspectError([4, 2, 6, 101] + value + [0])?.code == .invalidID)
        }
    }

    @Test("have exactly the elements of their kind", arguments: MessageKind.allCases)
    func arity(kind: MessageKind) throws {
        var number: [UInt8] = [6]
        VQL.append(kind.rawValue, to: &number)
        let elements: [[UInt8]] = [number, [6, 1], [1, 1, 0x61], [1, 1, 0x62], [0]]
        for count in 1...5 {
            let message = [4, UInt8(count)] + Array(elements[..<count].joined()) + [0]
            #expect(inspectError(message)?.code == (count == kind.headerCount ? nil : .wrongArity))
        }
    }

    @Test("are refused when they are cut short anywhere, or when something follows")
    func truncation() {
        for message in Self.samples {
            #expect(inspectError(message) == nil)
            for length in message.indices {
                #expect(inspectError(Array(message[..<length])) != nil)
            }
            #expect(inspectError(message + [0])?.code == .trailingBytes)
        }
    }

    @Test("with names that are not UTF-8 are refused")
    func invalidNames() {
        #expect(inspectError([4, 4, 6, 100, 6, 0, 1, 1, 0xff, 1, 1, 0x61, 0])?.code == .invalidUTF8)
        #expect(inspectError([4, 4, 6, 100, 6, 0, 1, 1, 0x61, 1, 2, 0xc0, 0x80, 0])?.code == .invalidUTF8)
    }

    @Test("count their header against the limit of elements")
    func headerElements() {
        let message = IPCMessage.event(id: 0, payload: [1, 2, 3])
        #expect(inspectError(message, limits: IPCLimits(valueElements: 5)) == nil)
        #expect(inspectError(message, limits: IPCLimits(valueElements: 4))?.code == .tooManyElements)
    }

    @Test("get another id without a change to anything else")
    func renumbering() throws {
        for message in Self.samples {
            let inspected = try InspectedMessage(message.span)
            for id: UInt64 in [3, 1_000, 1 << 40] {
                var output: [UInt8] = []
                inspected.append(message.span, renumberedTo: id, to: &output)
                let again = try InspectedMessage(output.span)
                #expect(again.id == (inspected.id == nil ? nil : id))
                #expect(again.messageKind == inspected.messageKind)
                #expect(output[again.bodyOffset...] == message[inspected.bodyOffset...])
            }
        }
    }

    @Test("read leniently may lack a body or have too much, but not ids and names of other types")
    func lenient() throws {
        var verdicts: [WireError.Code?] = []
        for step in try Vectors.conversation("raw-odd-requests").frames.dropFirst()
        where step.direction == .clientToServer {
            verdicts.append(
                wireError { () throws(WireError) in _ = try IPCMessage.decode(step.body, mode: .lenient) }?.code
            )
        }
        #expect(
            verdicts == [
                nil, nil, nil, .invalidID, .invalidID, .invalidID, nil, nil, .wrongHeaderType, .unknownMessageKind,
                .headerNotArray, .headerNotArray, .headerNotArray, .wrongArity, .invalidJSON, .invalidJSON, nil, nil,
                nil, nil,
            ]
        )
    }

    @Test("explain themselves when they are refused")
    func descriptions() {
        for code in WireError.Code.allCases {
            #expect(WireError(code, at: 3, found: 4, allowed: 5).description.count > 20)
            #expect(code.rawValue.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" })
        }
        #expect(inspectError([4, 1, 6, 99, 0])?.description == "99 is not a kind of message")
    }

    private static let samples: [[UInt8]] = [
        IPCMessage.initialize,
        IPCMessage.call(id: 1, channel: "channel", command: "command", argument: ["a", ["b": [1, 2.5]]]),
        IPCMessage.listen(id: 5_000_000_000, channel: "channel", event: "onDid"),
        IPCMessage.cancel(id: 200), IPCMessage.unlisten(id: 300),
        IPCMessage.success(id: 0, result: .vsBuffer([1, 2, 3])),
        IPCMessage.failure(id: 9, name: "Error", message: "no", stack: ["Error: no", "    at x"]),
        IPCMessage.failureValue(id: 10, value: .null), IPCMessage.event(id: 11, payload: "fired"),
    ]

    private func encode(_ message: DecodedMessage) -> [UInt8] {
        switch message {
        case .call(let id, let channel, let command, let argument):
            IPCMessage.call(id: id, channel: channel, command: command, argument: argument)
        case .cancel(let id): IPCMessage.cancel(id: id)
        case .listen(let id, let channel, let event, let argument):
            IPCMessage.listen(id: id, channel: channel, event: event, argument: argument)
        case .unlisten(let id): IPCMessage.unlisten(id: id)
        case .initialize: IPCMessage.initialize
        case .success(let id, let result): IPCMessage.success(id: id, result: result)
        case .failure(let id, let error):
            // The body of a 202 may be any value; only the usual form has a helper.
            ValueEncoder.encode([202, IPCValue(Int(id))]) + ValueEncoder.encode(error)
        case .failureValue(let id, let value): IPCMessage.failureValue(id: id, value: value)
        case .event(let id, let payload): IPCMessage.event(id: id, payload: payload)
        }
    }
}
