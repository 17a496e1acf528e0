// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// A channel that this side offers (VS Code's `IServerChannel`).
///
/// Handlers start in the order in which requests arrive, on the thread that received them, and go on elsewhere after
/// their first suspension: until then they must not block. Any number may run at once.
public protocol ServerChannel<Context>: Sendable {
    /// What a connection announces when it opens: who calls.
    associatedtype Context: Sendable

    /// Answers a call. The task is cancelled when the caller cancels or leaves.
    ///
    /// - Parameters:
    ///   - context: Who calls.
    ///   - command: The name of the command.
    ///   - argument: The argument.
    /// - Returns: The result.
    /// - Throws: ``RemoteError`` to fail with that Error, ``RemoteFailure`` to fail with a plain value; a
    ///   `CancellationError` becomes VS Code's `Canceled`; anything else an Error named after its type.
    func call(_ context: Context, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue

    /// Gives an event to a listener. Called once for each subscription.
    ///
    /// - Parameters:
    ///   - context: Who listens.
    ///   - event: The name of the event.
    ///   - argument: The argument.
    /// - Throws: When there is no such event. The protocol has no answer for that; it is logged, and the client hears
    ///   nothing.
    func listen(_ context: Context, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue>
}

extension ServerChannel {
    /// A channel without events.
    public func listen(_ context: Context, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        throw RemoteError.eventNotFound(event)
    }
}
