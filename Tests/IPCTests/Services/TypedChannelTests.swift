// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import Testing

@Suite("Typed use of a channel")
struct TypedChannelTests {
    private let emitter = EventEmitter<Int>()
    private let channel: Loopback<ServiceTable<String>>

    init() {
        channel = Loopback(
            ServiceTable<String>()
                .on("echo") { _, argument in argument }
                .method("add") { (a: Int, b: Int) in a + b }
                .event("onDidChange", emitter.event)
                .dynamicEvent("onDynamicChange") { [emitter] (factor: Int) in emitter.event.map { $0 * factor } }
        )
    }

    @Test("calls methods with arrays of parameters")
    func methods() async throws {
        let sum: Int = try await channel.callMethod("add", 1, 2)
        #expect(sum == 3)
        #expect(try await channel.callMethod("add", 1, 2, returning: Double.self) == 3)
        try await channel.callMethod("echo")
        try await channel.callMethod("echo", String?.none, IPCValue.vsBuffer([1]))
        #expect(
            channel.passed.filter { if case .call = $0 { true } else { false } } == [
                .call("add", [1, 2]), .call("add", [1, 2]), .call("echo", []),
                .call("echo", [.undefined, .vsBuffer([1])]),
            ]
        )
    }

    @Test("carries buffers of both kinds as what they are")
    func buffers() async throws {
        let table = ServiceTable<String>().method("swap") { (buffer: VSBuffer, plain: IPCBuffer) in
            [IPCValue.buffer(buffer.bytes), .vsBuffer(plain.bytes)]
        }
        let channel = Loopback(table)
        let swapped: [IPCValue] = try await channel.callMethod("swap", VSBuffer([1]), IPCBuffer([2]))
        #expect(swapped == [.buffer([1]), .vsBuffer([2])])
        #expect(
            channel.passed == [
                .call("swap", [.vsBuffer([1]), .buffer([2])]), .result([.buffer([1]), .vsBuffer([2])]),
            ]
        )
    }

    @Test("calls commands with one argument of any type")
    func commands() async throws {
        #expect(try await channel.call("echo", ["a": 1], returning: [String: Int].self) == ["a": 1])
        #expect(try await channel.call("echo", returning: Int?.self) == nil)
        try await channel.call("echo", 5, returning: Void.self)
    }

    @Test("leaves calls with values as they are")
    func values() async throws {
        #expect(try await channel.call("echo", ["a", 1]) == ["a", 1])
        #expect(try await channel.call("echo", .array([.undefined])) == [.undefined])
        #expect(try await channel.call("echo") == .undefined)
        let text = try await channel.call("echo", "text")
        #expect(text == IPCValue.string("text"))
    }

    @Test("listens to events with payloads of a type")
    func events() throws {
        let plain = Listener(channel.listen("onDidChange", of: Int.self))
        let dynamic = Listener(channel.listen("onDynamicChange", 10, of: Int.self))
        let raw = Listener(channel.listen("onDynamicChange", 100))
        emitter.fire(1)
        #expect(plain.payloads == [1])
        #expect(dynamic.payloads == [10])
        #expect(raw.payloads == [100])
    }

    @Test("fails when something is of another type")
    func mismatch() async {
        await #expect(throws: DecodingError.self) { try await channel.call("echo", "x", returning: Int.self) }
        let listener = Listener(channel.listen("onDidChange", of: String.self))
        emitter.fire(1)
        #expect(listener.error is DecodingError)
    }

    @Test("tells whoever listens that an argument cannot be encoded")
    func unencodable() async {
        struct Unencodable: Encodable {
            func encode(to encoder: any Encoder) throws { throw RemoteError.canceled }
        }
        let listener = Listener(channel.listen("onDynamicChange", Unencodable(), of: Int.self))
        #expect(listener.error as? RemoteError == .canceled)
        #expect(channel.passed == [])
        await #expect(throws: RemoteError.canceled) { try await channel.callMethod("echo", Unencodable()) }
    }
}
