// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCTransport

/// What a person is told of a session whose connection comes and goes.
struct ReconnectionNote {
    private var isConnected = true

    /// A sentence about what has become of it; nil when there is nothing to say.
    mutating func line(for state: PersistentConnection.State) -> String? {
        switch state {
        case .connected: return nil
        case .reconnecting(let attempt, let wait, let reason):
            let what = isConnected ? "connection lost" : "still no connection"
            isConnected = false
            let when = wait > .zero ? "reconnecting in \(Self.seconds(wait)) s" : "reconnecting now"
            return "\(what) (\(PrintableText.escaped(reason))); \(when) (attempt \(attempt))"
        case .reconnected(let attempts):
            isConnected = true
            return "reconnected after \(attempts) attempt\(attempts == 1 ? "" : "s"), nothing was lost"
        case .goingAway(let reason):
            return "the server will go away (\(PrintableText.escaped(reason))); until then this goes on"
        case .failed:
            // The error that ends the command tells it.
            return nil
        }
    }

    /// With one digit behind the point, of which there is no shorter form for waits of some milliseconds.
    private static func seconds(_ duration: Duration) -> String {
        let tenths = (duration.components.seconds * 10) + duration.components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
