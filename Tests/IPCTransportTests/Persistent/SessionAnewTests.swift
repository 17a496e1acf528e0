// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import NIOConcurrencyHelpers
import Testing

@Suite("Sessions that the server has never heard of")
struct SessionAnewTests {
    @Test("begin anew, and nothing is lost")
    func anew() async throws {
        let receivers = NIOLockedValueBox<[RecordingReceiver]>([])
        let listener = try await IPCListener.open(
            .tcp(),
            sessions: SessionHosting(),
            acceptSession: { connection in
                let receiver = RecordingReceiver()
                receivers.withLockedValue { $0.append(receiver) }
                connection.start(delivering: receiver)
            },
            accept: { _ in }
        )
        let relay = try await CuttingRelay(to: try #require(listener.port))
        let options = ReconnectionOptions(backOff: BackOff(first: .milliseconds(1), longest: .milliseconds(20)))
        let client = try await PersistentConnection.connect(to: [.tcp(port: relay.port)], options: options)
        client.start(delivering: RecordingReceiver())
        relay.setDown(true)
        for number in UInt8(0)..<10 { client.send([number]) }
        // Who has said nothing is not waited for.
        try await eventually("the server has let it go") { receivers.withLockedValue { $0.first?.end } != nil }
        relay.setDown(false)
        try await eventually("all have come") { receivers.withLockedValue { $0.last?.count } == 10 }
        let messages = receivers.withLockedValue { $0.last?.messages }
        #expect(messages == (UInt8(0)..<10).map { [$0] })
        let count = receivers.withLockedValue { $0.count }
        #expect(count == 2)
        #expect(client.statistics.reconnections == 1)
        client.close(.disposed)
        await client.waitUntilEnded()
        await listener.close()
        await relay.close()
    }
}
