// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import NIOConcurrencyHelpers
internal import NIOCore

/// The clients of a ``Tunnel``: lets them in, and forgets them when they have ended.
final class TunnelClients: Sendable {
    private struct State {
        var lastNumber = 0
        var clients: [Int: TunnelledClient] = [:]
        var isStopping = false
    }

    private let state = NIOLockedValueBox(State())
    private let options: Tunnel.Options
    private let dial: Tunnel.Dial
    private let observe: Tunnel.Observer

    init(options: Tunnel.Options, dial: @escaping Tunnel.Dial, observe: @escaping Tunnel.Observer) {
        self.options = options
        self.dial = dial
        self.observe = observe
    }

    /// Those that are there now.
    var all: [TunnelledClient] { state.withLockedValue { Array($0.clients.values) } }

    /// Lets nobody in any more.
    func stopAdmitting() {
        state.withLockedValue { $0.isStopping = true }
    }

    /// Looks who has connected. On the connection's event loop.
    func admit(_ connection: PlainConnection) {
        connection.peerCredentials().whenComplete { result in
            switch result {
            case .success(let peer) where peer.user != 0 && peer.user != SystemCalls.effectiveUser:
                let user = SystemCalls.effectiveUser
                self.refuse(connection, "not-allowed", "this socket is for uid \(user), not for uid \(peer.user)")
            case .success(let peer):
                self.add(connection, process: Int(peer.process))
            case .failure(let error):
                self.refuse(connection, "not-allowed", "the system does not say who the client is: \(error)")
            }
        }
    }

    private func add(_ connection: PlainConnection, process: Int) {
        let admitted = state.withLockedValue { state -> (number: Int, client: TunnelledClient)? in
            guard !state.isStopping, state.clients.count < options.maximumClients else { return nil }
            state.lastNumber += 1
            let number = state.lastNumber
            let client = TunnelledClient(local: connection, dial: dial) { [observe] in observe(number, $0) }
            state.clients[number] = client
            return (number, client)
        }
        guard let (number, client) = admitted else {
            guard !state.withLockedValue({ $0.isStopping }) else {
                return refuse(connection, "draining", "the tunnel is stopping")
            }
            let count = options.maximumClients
            return refuse(connection, "limit", "the tunnel has \(count) clients, as many as it may have")
        }
        observe(number, .accepted(process: process))
        Task {
            await client.run()
            _ = state.withLockedValue { $0.clients.removeValue(forKey: number) }
        }
    }

    private func refuse(_ connection: PlainConnection, _ code: String, _ reason: String) {
        connection.refuse(code: code, reason: reason)
        observe(0, .refused(reason: reason))
    }
}
