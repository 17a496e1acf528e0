// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Writes of one byte", .blocking)
struct TinyWriteTests {
    @Test("on both sides, each in a record of its own, change nothing but the time it takes")
    func everyByte() throws {
        let bench = try GatewayBench()
        let client = try bench.open()
        let calls = (0..<UInt64(50)).flatMap { Sample.call($0, IPCValue("question \($0)")) }
        client.send(calls, piece: 1)
        let server = try bench.recording().connection()
        let opening = RecordingUpstream.opening(context: "remote:alice")
        let received = try server.receive(count: opening.count + calls.count, within: .seconds(60))
        let areCallsSame = received == opening + calls
        #expect(areCallsSame)
        let answers = (0..<UInt64(50)).flatMap { Sample.answer($0, IPCValue("answer \($0)")) }
        for byte in RecordingUpstream.initialize + answers { try server.send([byte]) }
        let all = try client.receive(count: RecordingUpstream.initialize.count + answers.count)
        let areAnswersSame = all == RecordingUpstream.initialize + answers
        #expect(areAnswersSame)
        let ticks = try bench.gateway.usage().processorTicks
        print("\(calls.count + answers.count) bytes, one a write: \(ticks * 10) ms of processor, start included")
        // A tenth of a millisecond for each byte would be a hundred times too much; sanitizers need more.
        #expect(ticks < 1_000 * patience)
    }
}
