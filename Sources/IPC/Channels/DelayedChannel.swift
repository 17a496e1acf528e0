// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// A channel that is not known yet (VS Code's `getDelayedChannel`): calls wait until it is, and so do subscriptions.
public struct DelayedChannel: Channel {
    private let channel: Deferred<any Channel>

    /// Creates a channel.
    ///
    /// - Parameter find: Finds the channel. Started once, at once, and cancelled when nobody refers to this channel or an
    ///   event of it any more.
    public init(_ find: @escaping @Sendable () async throws -> any Channel) {
        channel = Deferred(find)
    }

    /// Calls a command when the channel is known. Fails as finding the channel does.
    public func call(_ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        try await channel.value().call(command, argument)
    }

    /// An event, subscribed to when the channel is known, if somebody listens then. Ends as finding the channel fails.
    public func listen(_ event: IPCString, _ argument: IPCValue) -> Event<IPCValue> {
        let relay = EventRelay(Deferred(channel) { $0.listen(event, argument) })
        return Event { relay.attach($0) }
    }
}

/// A channel that is used only after whoever made it has gone on (VS Code's `getNextTickChannel`): calls and subscriptions
/// of the first moment are put off until other work had its turn, so that one made in an initialiser does not come before
/// what follows it.
public struct NextTickChannel: Channel {
    private let delayed: DelayedChannel

    /// Creates a channel.
    ///
    /// - Parameter channel: The channel itself.
    public init(_ channel: any Channel) {
        delayed = DelayedChannel {
            await Task.yield()
            return channel
        }
    }

    /// Calls a command.
    public func call(_ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        try await delayed.call(command, argument)
    }

    /// An event.
    public func listen(_ event: IPCString, _ argument: IPCValue) -> Event<IPCValue> {
        delayed.listen(event, argument)
    }
}
