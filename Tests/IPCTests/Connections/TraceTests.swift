// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("The trace of a connection")
struct TraceTests {
    @Test("Every message in and out is one line")
    func lines() async throws {
        let traces = Log<MessageTrace>()
        var options = ConnectionOptions()
        options.trace = { traces.append($0) }
        let pair = try ScriptedClient(ready: false, options: options)
        pair.transport.deliver(IPCMessage.initialize)
        let call = pair.start("get", 1)
        let subscription = pair.client.channel("c").listen("onX").subscribe { _ in }
        pair.transport.deliver(IPCMessage.event(id: 1, payload: "payload"))
        subscription.cancel()
        pair.transport.deliver(IPCMessage.failureValue(id: 0, value: 1))
        #expect(await call.value == .failure(1))
        #expect(
            traces.entries.map(\.description) == [
                "out context, 4 bytes", "out initialize, 6 bytes", "in  initialize, 6 bytes",
                "out call #0 c.get, 16 bytes", "out listen #1 c.onX, 15 bytes", "in  event #1, 16 bytes",
                "out unlisten #1, 7 bytes", "in  failureValue #0, 9 bytes",
            ]
        )
        #expect(traces.entries[3].channel == "c" && traces.entries[3].name == "get" && traces.entries[3].id == 0)
    }

    @Test("The server's side is traced, too, and what nobody can read, and the connection works as without")
    func server() async throws {
        let traces = Log<MessageTrace>()
        var options = ConnectionOptions()
        options.trace = { traces.append($0) }
        options.decoding = .lenient
        let pair = try ScriptedServer(options: options, channels: ["c": .calls { _, _, argument in argument }])
        pair.transport.deliver([9, 9])
        pair.call(0)
        pair.transport.setCongested(true)
        pair.call(1)
        pair.transport.setCongested(false)
        try await eventually("the held one is served") { try pair.sent.count == 2 }
        #expect(traces.entries.map(\.direction.rawValue) == ["in", "out", "in", "in", "in", "out", "in", "out"])
        #expect(traces.entries[3].kind == nil && traces.entries[3].byteCount == 2)
        pair.server.dispose()
        try await eventually("it is gone") { pair.server.connections.isEmpty && pair.server.openingCount == 0 }
    }
}
