// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// A channel in whichever client a router chooses.
struct RoutedChannel<Context: Codable & Sendable>: Channel {
    let hub: IPCServer<Context>
    let name: IPCString
    let router: any ConnectionRouter<Context>

    func call(_ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        try await router.routeCall(hub, command, argument).channel(name).call(command, argument)
    }

    func listen(_ event: IPCString, _ argument: IPCValue) -> Event<IPCValue> {
        let channel = DelayedChannel {
            try await router.routeEvent(hub, event, argument).channel(name)
        }
        return channel.listen(event, argument)
    }
}

/// A channel in all clients that pass a filter: a call goes to one of them, events come from all.
struct FilteredChannel<Context: Codable & Sendable>: Channel {
    let hub: IPCServer<Context>
    let name: IPCString
    let filter: @Sendable (Context) -> Bool

    /// Calls one of those that pass, picked at random; waits for one when there is none.
    func call(_ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        let filter = filter
        let connection = try await hub.firstConnection { connections in
            connections.filter { filter($0.context) }.randomElement()
        }
        return try await connection.channel(name).call(command, argument)
    }

    func listen(_ event: IPCString, _ argument: IPCValue) -> Event<IPCValue> {
        MulticastEvent(hub: hub, filter: filter) { [name] connection in
            connection.channel(name).listen(event, argument)
        }.event
    }
}

extension IPCServer {
    /// A channel that lives in clients.
    ///
    /// A call goes to one of those that pass, picked at random, and waits for one when there is none. An event comes from
    /// all that pass, as they come and go.
    ///
    /// - Parameters:
    ///   - name: The name of the channel.
    ///   - filter: Whether a client with this context passes.
    public func channel(_ name: IPCString, where filter: @escaping @Sendable (Context) -> Bool) -> any Channel {
        FilteredChannel(hub: self, name: name, filter: filter)
    }

    /// A channel that lives in a client which a router chooses, anew for each call and each event.
    ///
    /// - Parameters:
    ///   - name: The name of the channel.
    ///   - router: Chooses the client. A subscription stays with the client that was chosen first.
    public func channel(_ name: IPCString, router: some ConnectionRouter<Context>) -> any Channel {
        RoutedChannel(hub: self, name: name, router: router)
    }
}
