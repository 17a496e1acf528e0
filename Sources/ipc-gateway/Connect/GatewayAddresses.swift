// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCTransport
internal import Synchronization

/// The addresses of the gateway, in the order in which the next client tries them.
final class GatewayAddresses: Sendable {
    private let order: Mutex<[ClientEndpoint]>

    init(_ endpoints: [ClientEndpoint]) {
        order = Mutex(endpoints)
    }

    /// The order now.
    var inOrder: [ClientEndpoint] { order.withLock { $0 } }

    /// The address has let a client in: it is tried first, so that no client waits for those that are away.
    func used(_ endpoint: ClientEndpoint?) {
        order.withLock { order in
            guard let index = Self.index(of: endpoint, order) else { return }
            order.insert(order.remove(at: index), at: 0)
        }
    }

    /// The gateway there wants no further sessions: it is tried last.
    func leave(_ endpoint: ClientEndpoint?) {
        order.withLock { order in
            guard let index = Self.index(of: endpoint, order) else { return }
            order.append(order.remove(at: index))
        }
    }

    private static func index(of endpoint: ClientEndpoint?, _ order: [ClientEndpoint]) -> Int? {
        order.firstIndex { $0.description == endpoint?.description }
    }
}
