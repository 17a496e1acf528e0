// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCTransport
import Testing

@testable import ipc_gateway

@Suite("The status line of a tunnel")
struct TunnelStatusTests {
    private static let now = ContinuousClock.now

    private static func client(_ phase: TunnelledClient.Phase, _ milliseconds: Double? = nil, _ messages: Int = 0)
        -> TunnelledClient.Snapshot
    {
        TunnelledClient.Snapshot(
            phase: phase,
            statistics: milliseconds.map {
                TunnelRemote.Statistics(roundTripTime: .milliseconds($0), messages: messages, bytes: messages * 1_000)
            }
        )
    }

    @Test("says what a person wants to know")
    func text() {
        func text(_ clients: TunnelledClient.Snapshot...) -> String {
            TunnelStatus(clients: clients, now: Self.now).text
        }
        #expect(text() == "no local clients")
        #expect(
            text(Self.client(.connected, 3.25)) == "1 local client · connected · round trip 3.2 ms · nothing queued"
        )
        let waiting = TunnelledClient.Phase.reconnecting(attempt: 3, at: Self.now + .seconds(7.5))
        #expect(
            text(Self.client(waiting, 40, 1))
                == "1 local client · reconnecting (attempt 3 in 7 s) · round trip 40 ms · 1 message (1000 B) queued"
        )
        #expect(
            text(Self.client(.connected, 3), Self.client(waiting, 40, 20), Self.client(.silent), Self.client(.ending))
                == "4 local clients · 1 connected · 1 reconnecting (attempt 3 in 7 s) · 1 connecting · 1 ending · "
                + "round trip 40 ms · 20 messages (19 KiB) queued"
        )
    }
}
