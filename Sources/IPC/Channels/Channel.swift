// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// A channel of the peer: commands to call and events to listen to (VS Code's `IChannel`).
public protocol Channel: Sendable {
    /// Calls a command and waits for its answer. When the calling task is cancelled, the handler at the peer is told.
    ///
    /// - Parameters:
    ///   - command: The name of the command.
    ///   - argument: The argument.
    /// - Returns: The result.
    /// - Throws: ``RemoteError`` when the handler failed with an Error, ``RemoteFailure`` when it failed with another
    ///   value, ``ConnectionEnd`` when the connection is or goes away, `CancellationError` when the task is cancelled.
    func call(_ command: IPCString, _ argument: IPCValue) async throws -> IPCValue

    /// An event of the channel. The first listener subscribes at the peer, the last one to leave unsubscribes.
    ///
    /// There is no error for an event that the peer does not have: the protocol has none, it just never fires.
    ///
    /// - Parameters:
    ///   - event: The name of the event.
    ///   - argument: The argument.
    func listen(_ event: IPCString, _ argument: IPCValue) -> Event<IPCValue>
}

extension Channel {
    /// Calls a command without an argument.
    public func call(_ command: IPCString) async throws -> IPCValue {
        try await call(command, .undefined)
    }

    /// An event, without an argument.
    public func listen(_ event: IPCString) -> Event<IPCValue> {
        listen(event, .undefined)
    }
}
