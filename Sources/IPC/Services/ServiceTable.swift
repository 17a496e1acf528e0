// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// A channel made of closures: a service without a protocol of its own.
///
/// ```swift
/// let storage = ServiceTable<String>()
///     .method("add") { (a: Int, b: Int) in a + b }
///     .event("onDidChange", emitter.event)
///     .dynamicEvent("onDynamicChange") { (key: String) in changes(of: key) }
///     .on("raw") { context, argument in argument }
/// ```
///
/// A value: each of these methods returns a copy with one more handler. Of handlers for the same name the last counts. Any
/// name will do for a peer that calls channels itself; one that uses VS Code's `ProxyChannel` finds events only by names
/// such as `onChange`, dynamic ones by `onDynamicChange`, and methods by others.
public struct ServiceTable<Context: Sendable>: ServerChannel {
    private var handlers: [IPCString: @Sendable (Context, IPCValue) async throws -> IPCValue] = [:]
    private var events: [IPCString: @Sendable (Context, IPCValue) throws -> Event<IPCValue>] = [:]

    /// Creates a channel that offers nothing yet.
    public init() {}

    /// Answers a command with a closure that sees what travels.
    ///
    /// - Parameters:
    ///   - command: The name of the command.
    ///   - handler: Is given who calls and the argument, and returns the result.
    public func on(
        _ command: IPCString,
        _ handler: @escaping @Sendable (Context, IPCValue) async throws -> IPCValue
    ) -> Self {
        var copy = self
        copy.handlers[command] = handler
        return copy
    }

    /// Finds an event with a closure that sees what travels.
    ///
    /// - Parameters:
    ///   - event: The name of the event.
    ///   - handler: Is given who listens and the argument, once for each subscription.
    public func onListen(
        _ event: IPCString,
        _ handler: @escaping @Sendable (Context, IPCValue) throws -> Event<IPCValue>
    ) -> Self {
        var copy = self
        copy.events[event] = handler
        return copy
    }

    /// Answers with the handler of the command.
    ///
    /// - Throws: ``RemoteError/methodNotFound(_:)`` where there is none.
    public func call(_ context: Context, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        guard let handler = handlers[command] else { throw RemoteError.methodNotFound(command) }
        return try await handler(context, argument)
    }

    /// Gives the event of that name.
    ///
    /// - Throws: ``RemoteError/eventNotFound(_:)`` where there is none.
    public func listen(_ context: Context, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        guard let handler = events[event] else { throw RemoteError.eventNotFound(event) }
        return try handler(context, argument)
    }
}
