// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Testing

@Suite("Cancellation")
struct CancellationTests {
    @Test("A call of a task that is cancelled already fails and sends nothing")
    func before() async throws {
        let pair = try ScriptedClient()
        let call = Task.immediate {
            withUnsafeCurrentTask { $0?.cancel() }
            return await CallOutcome { try await pair.client.channel("c").call("x") }
        }
        #expect(await call.value == .cancelled)
        #expect(try pair.sent.isEmpty)
        #expect(pair.asking.outstandingCount == 0)
    }

    @Test("A cancelled call fails at once, its late answer is swallowed, and a second cancel sends nothing")
    func lateAnswer() async throws {
        let pair = try ScriptedClient()
        let call = pair.start("x")
        call.cancel()
        #expect(await call.value == .cancelled)
        call.cancel()
        #expect(try pair.sent.last == .cancel(id: 0))
        #expect(try pair.sent.count == 2)
        #expect(pair.asking.outstandingCount == 1)
        pair.transport.deliver(IPCMessage.success(id: 0, result: "late"))
        #expect(pair.asking.outstandingCount == 0)
    }

    @Test("Cancelling after the answer does nothing")
    func afterwards() async throws {
        let pair = try ScriptedClient()
        let call = pair.start("x")
        pair.transport.deliver(IPCMessage.success(id: 0, result: 1))
        #expect(await call.value == .success(1))
        call.cancel()
        #expect(try pair.sent.count == 1)
    }

    @Test("A handler that heeds it ends with Canceled, one that does not is answered all the same")
    func handlers() async throws {
        let gate = Gate()
        let channel = FunctionChannel<String>.calls { _, command, _ in
            if command == "heeds" { await gate.waitUntilCancelled() } else { await gate.wait() }
            try command == "heeds" ? Task.checkCancellation() : ()
            return IPCValue("\(command) \(Task.isCancelled)")
        }
        let pair = try ScriptedServer(channels: ["c": channel])
        pair.call(0, "c", "heeds")
        pair.call(1, "c", "ignores")
        try await eventually("the second waits") { gate.waiterCount == 1 }
        pair.cancel(0)
        pair.cancel(1)
        try await eventually("the first is answered") { try pair.sent.count == 1 }
        #expect(try pair.sent == [.failure(id: 0, error: ["message": "Canceled", "name": "Canceled"])])
        gate.open()
        try await eventually("the second is answered") { try pair.sent.count == 2 }
        #expect(try pair.sent[1] == .success(id: 1, result: "ignores true"))
        #expect(pair.answering?.openCount == 0)
    }

    @Test("Cancel and unsubscribe are the same to a server, and unknown numbers mean nothing to it")
    func interchangeable() async throws {
        let emitter = EventEmitter<IPCValue>()
        let gate = Gate()
        var channel = FunctionChannel<String>.event(emitter.event)
        channel.onCall = { _, _, _ in
            await gate.waitUntilCancelled()
            throw CancellationError()
        }
        let pair = try ScriptedServer(channels: ["c": channel])
        pair.call(0)
        pair.listen(1)
        #expect(emitter.listenerCount == 1)
        pair.unlisten(0)
        pair.cancel(1)
        #expect(emitter.listenerCount == 0)
        pair.cancel(1)
        pair.unlisten(99)
        try await eventually("the call is answered") { try pair.sent.count == 1 }
        #expect(pair.answering?.openCount == 0)
        pair.call(1, "nobody")
        #expect(pair.server.connections.count == 1, "the number may be used again")
    }

    @Test("A call that waits for a peer that does not read can be cancelled")
    func whileCongested() async throws {
        let pair = try ScriptedClient()
        pair.transport.setCongested(true)
        let impatient = pair.start("x")
        let patient = pair.start("y")
        try await eventually("somebody drains") { pair.transport.drainerCount == 1 }
        impatient.cancel()
        #expect(await impatient.value == .cancelled)
        #expect(try pair.sent.isEmpty)
        pair.transport.setCongested(false)
        try await eventually("the other call is sent") { try pair.sent.count == 1 }
        pair.transport.deliver(IPCMessage.success(id: 1, result: 1))
        pair.transport.deliver(IPCMessage.success(id: 0, result: 1))
        #expect(await patient.value == .success(1))
    }

    @Test("Handlers are not told of cancels of other connections")
    func separate() async throws {
        let gate = Gate()
        let channel = FunctionChannel<String>.calls { context, _, _ in
            await gate.wait()
            return IPCValue("\(context) \(Task.isCancelled)")
        }
        let first = try ScriptedServer(channels: ["c": channel])
        let second = ScriptedTransport()
        first.server.accept(second)
        second.deliver(IPCMessage.context("second"))
        first.call(0)
        second.deliver(IPCMessage.call(id: 0, channel: "c", command: "x"))
        first.cancel(0)
        gate.open()
        try await eventually("both are answered") { try first.sent.count == 1 && second.sent.count == 2 }
        #expect(try first.sent == [.success(id: 0, result: "peer true")])
        #expect(try IPCMessage.decode(second.sent[1]) == .success(id: 0, result: "second false"))
    }
}
