// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

extension ServiceTable {
    /// Answers a command with a function, as VS Code's `ProxyChannel` does: the argument is the array of its parameters.
    ///
    /// - Parameters:
    ///   - name: The name of the command.
    ///   - body: The function. A parameter that was not sent is nil if it is optional; one that does not fit fails the call.
    public func method<each Parameter: Decodable & SendableMetatype, Result: Encodable & SendableMetatype>(
        _ name: IPCString,
        _ body: @escaping @Sendable (repeat each Parameter) async throws -> Result
    ) -> Self {
        methodWithContext(name) { (_, parameters: repeat each Parameter) in
            try await body(repeat each parameters)
        }
    }

    /// Answers a command with a function that returns nothing.
    @_disfavoredOverload
    public func method<each Parameter: Decodable & SendableMetatype>(
        _ name: IPCString,
        _ body: @escaping @Sendable (repeat each Parameter) async throws -> Void
    ) -> Self {
        methodWithContext(name) { (_, parameters: repeat each Parameter) in
            try await body(repeat each parameters)
        }
    }

    /// Answers a command with a function that is told first who calls.
    public func methodWithContext<each Parameter: Decodable & SendableMetatype, Result: Encodable & SendableMetatype>(
        _ name: IPCString,
        _ body: @escaping @Sendable (Context, repeat each Parameter) async throws -> Result
    ) -> Self {
        on(name) { context, argument in
            var reader = ParameterReader(parameters: try ServiceSupport.Parameters(argument, of: name))
            let parameters = (repeat try reader.next((each Parameter).self))
            return try ServiceSupport.encode(try await body(context, repeat each parameters))
        }
    }

    /// Answers a command with a function that is told first who calls, and returns nothing.
    @_disfavoredOverload
    public func methodWithContext<each Parameter: Decodable & SendableMetatype>(
        _ name: IPCString,
        _ body: @escaping @Sendable (Context, repeat each Parameter) async throws -> Void
    ) -> Self {
        on(name) { context, argument in
            var reader = ParameterReader(parameters: try ServiceSupport.Parameters(argument, of: name))
            let parameters = (repeat try reader.next((each Parameter).self))
            try await body(context, repeat each parameters)
            return .undefined
        }
    }

    /// Offers an event: an ``Event``, or any sequence, which is then iterated anew for every listener.
    public func event<Source: AsyncSequence & Sendable>(
        _ name: IPCString,
        _ source: Source
    ) -> Self where Source.Element: Encodable & Sendable {
        onListen(name) { _, _ in ServiceSupport.event(of: source) }
    }

    /// Offers an event that carries nothing.
    public func event<Source: AsyncSequence & Sendable>(
        _ name: IPCString,
        _ source: Source
    ) -> Self where Source.Element == Void {
        onListen(name) { _, _ in ServiceSupport.event(of: source) }
    }

    /// Offers an event that depends on one argument.
    ///
    /// - Parameters:
    ///   - name: The name of the event.
    ///   - source: Finds the event, once for each subscription.
    public func dynamicEvent<Argument: Decodable & SendableMetatype, Source: AsyncSequence & Sendable>(
        _ name: IPCString,
        _ source: @escaping @Sendable (Argument) throws -> Source
    ) -> Self where Source.Element: Encodable & Sendable {
        dynamicEventWithContext(name) { _, argument in try source(argument) }
    }

    /// Offers an event that depends on one argument and carries nothing.
    public func dynamicEvent<Argument: Decodable & SendableMetatype, Source: AsyncSequence & Sendable>(
        _ name: IPCString,
        _ source: @escaping @Sendable (Argument) throws -> Source
    ) -> Self where Source.Element == Void {
        dynamicEventWithContext(name) { _, argument in try source(argument) }
    }

    /// Offers an event that depends on who listens and on one argument.
    public func dynamicEventWithContext<Argument: Decodable & SendableMetatype, Source: AsyncSequence & Sendable>(
        _ name: IPCString,
        _ source: @escaping @Sendable (Context, Argument) throws -> Source
    ) -> Self where Source.Element: Encodable & Sendable {
        onListen(name) { context, argument in
            ServiceSupport.event(of: try source(context, ServiceSupport.argument(argument, of: name)))
        }
    }

    /// Offers an event that depends on who listens and on one argument, and carries nothing.
    public func dynamicEventWithContext<Argument: Decodable & SendableMetatype, Source: AsyncSequence & Sendable>(
        _ name: IPCString,
        _ source: @escaping @Sendable (Context, Argument) throws -> Source
    ) -> Self where Source.Element == Void {
        onListen(name) { context, argument in
            ServiceSupport.event(of: try source(context, ServiceSupport.argument(argument, of: name)))
        }
    }
}

/// Reads parameters one after the other.
private struct ParameterReader {
    let parameters: ServiceSupport.Parameters
    private var index = 0

    init(parameters: ServiceSupport.Parameters) {
        self.parameters = parameters
    }

    mutating func next<Parameter: Decodable>(_ type: Parameter.Type) throws -> Parameter {
        defer { index += 1 }
        return try parameters.decode(index, as: type)
    }
}
