// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore

extension SessionEngine {
    /// Has the session called again when it is time for something.
    func armTimer() {
        let deadline = phase == .over ? .max : session.nextDeadline
        // One that comes too early looks again.
        guard deadline < timerAt else { return }
        timer?.cancel()
        timerAt = deadline
        let time = NIODeadline.uptimeNanoseconds(min(deadline, UInt64(Int64.max)))
        timer = eventLoop.assumeIsolated().scheduleTask(deadline: time) { self.timeHasPassed() }
    }

    private func timeHasPassed() {
        timerAt = .max
        timer = nil
        guard phase != .over else { return }
        if let timeOut = session.advance(to: Self.now), let link {
            let seconds = timeOut.silence / 1_000_000_000
            let count = timeOut.unacknowledgedCount
            let what = "nothing has come from the peer for \(seconds) s, and it owes \(count) acknowledgements"
            linkEnded(link, ConnectionEnd(.lost, what))
        }
        noteRoundTrip()
        pump()
    }
}
