// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// A channel of the peer, by its name.
struct RemoteChannel: Channel {
    let client: ChannelClient
    let name: IPCString
    /// What must live for as long as the channel is in use: a client closes its connection when it is released.
    var owner: (any Sendable & AnyObject)?

    func call(_ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        try await client.call(name, command, argument)
    }

    func listen(_ event: IPCString, _ argument: IPCValue) -> Event<IPCValue> {
        let event = client.listen(name, event, argument)
        guard let owner else { return event }
        return Event { sink in
            let subscription = event.attach(sink)
            return EventSubscription { withExtendedLifetime(owner) { subscription.cancel() } }
        }
    }
}
