// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import Testing

@Suite("A generated service over a connection")
struct ServedServiceTests {
    private let pair: ServedPair
    private let service = Everything(owner: "alice")
    private let client: EverythingServiceClient

    init() throws {
        pair = try ServedPair()
        pair.server.registerChannel("everything", EverythingServiceChannel(service))
        client = EverythingServiceClient(pair.client.channel("everything"))
    }

    @Test("answers calls")
    func calls() async throws {
        try await client.set("a", to: "text")
        #expect(try await client.get("a") == "text")
        #expect(try await client.get("b") == nil)
        #expect(try await client.describe(key: "k", value: nil) == "k is nothing")
        #expect(
            try await client.find(in: Place(path: "/etc", line: 3), for: ["a"], nil) == [Place(path: "/etc/a", line: 3)]
        )
        await #expect(throws: RemoteError.methodNotFound("nothing")) {
            try await pair.client.channel("everything").callMethod("nothing")
        }
    }

    @Test("fires what a method fires before the method returns")
    func events() async throws {
        var changes = client.onDidChange.makeAsyncIterator()
        for number in 0..<10 {
            try await client.set("\(number)", to: .null)
            #expect(try await changes.next() == "\(number)")
        }
        #expect(service.changes.listenerCount == 1)
    }

    @Test("finds dynamic events by their argument, and lets go of streams")
    func streams() async throws {
        var dynamic = client.onDynamicChange("four").makeAsyncIterator()
        var stream: AsyncStream<Int>? = client.onStream
        // Requests are served in their order: what comes after these finds them served.
        _ = try await client.count()
        #expect(service.numbers.listenerCount == 2)
        service.numbers.fire(10)
        #expect(try await dynamic.next() == 40)
        #expect(await stream?.first { _ in true } == 10)
        stream = nil
        try await eventually("the stream has unsubscribed") { service.numbers.listenerCount == 1 }
    }
}
