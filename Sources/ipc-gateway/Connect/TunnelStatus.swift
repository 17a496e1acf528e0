// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCTransport

/// How a tunnel is, in one line for a person.
struct TunnelStatus {
    /// How each client is.
    var clients: [TunnelledClient.Snapshot]
    /// When that was.
    var now = ContinuousClock.now

    var text: String {
        guard !clients.isEmpty else { return "no local clients" }
        var parts = [Self.count(clients.count, "local client")]
        parts += phases
        if let time = clients.compactMap({ $0.statistics?.roundTripTime }).max() {
            parts.append("round trip \(Self.milliseconds(time)) ms")
        }
        let messages = clients.reduce(0) { $0 + ($1.statistics?.messages ?? 0) }
        let bytes = clients.reduce(0) { $0 + ($1.statistics?.bytes ?? 0) }
        parts.append(
            messages == 0 ? "nothing queued" : "\(Self.count(messages, "message")) (\(Self.size(bytes))) queued"
        )
        return parts.joined(separator: " · ")
    }

    /// What the clients do: where all do the same, without their number.
    private var phases: [String] {
        let silent = clients.count { $0.phase == .silent || $0.phase == .connecting }
        let connected = clients.count { $0.phase == .connected }
        let ending = clients.count { $0.phase == .ending }
        let waiting = clients.compactMap { client -> (attempt: Int, at: ContinuousClock.Instant)? in
            guard case .reconnecting(let attempt, let at) = client.phase else { return nil }
            return (attempt, at)
        }
        var parts: [String] = []
        func add(_ count: Int, _ what: String) {
            if count > 0 { parts.append(count == clients.count ? what : "\(count) \(what)") }
        }
        add(connected, "connected")
        if let next = waiting.min(by: { $0.at < $1.at }) {
            let seconds = max(0, (next.at - now).components.seconds)
            let time = seconds > 0 ? "in \(seconds) s" : "now"
            add(waiting.count, "reconnecting (attempt \(next.attempt) \(time))")
        }
        add(silent, "connecting")
        add(ending, "ending")
        return parts
    }

    private static func count(_ number: Int, _ what: String) -> String {
        "\(number) \(what)\(number == 1 ? "" : "s")"
    }

    /// Milliseconds with one digit behind the point, below ten.
    static func milliseconds(_ time: Duration) -> String {
        let (seconds, attoseconds) = time.components
        let tenths = seconds * 10_000 + attoseconds / 100_000_000_000_000
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10)" : "\(tenths / 10)"
    }

    private static func size(_ bytes: Int) -> String {
        if bytes < 1 << 10 { return "\(bytes) B" }
        return bytes < 1 << 20 ? "\(bytes >> 10) KiB" : "\(bytes >> 20) MiB"
    }
}
