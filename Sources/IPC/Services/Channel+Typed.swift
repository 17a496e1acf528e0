// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

// Each of these has a name or a label of its own, so that calls with an `IPCValue` or a literal mean the requirements.
extension Channel {
    /// Calls a method of a service that VS Code's `ProxyChannel` offers: the argument is the array of the parameters.
    ///
    /// ```swift
    /// let sum: Int = try await channel.callMethod("add", 1, 2)
    /// ```
    ///
    /// - Parameters:
    ///   - name: The name of the method.
    ///   - parameters: Its parameters. Nil travels as `undefined`.
    ///   - type: What it returns.
    /// - Throws: What ``call(_:_:)`` throws, an `EncodingError` for a parameter, or a `DecodingError` when the result is not
    ///   what was expected.
    public func callMethod<each Parameter: Encodable, Result: Decodable>(
        _ name: IPCString,
        _ parameters: repeat each Parameter,
        returning type: Result.Type = Result.self
    ) async throws -> Result {
        let argument = try ServiceSupport.array([], repeat each parameters)
        return try IPCValueDecoder().decode(type, from: try await call(name, argument))
    }

    /// Calls a method of a service that VS Code's `ProxyChannel` offers, and ignores what it returns.
    public func callMethod<each Parameter: Encodable>(
        _ name: IPCString,
        _ parameters: repeat each Parameter
    ) async throws {
        _ = try await call(name, ServiceSupport.array([], repeat each parameters))
    }

    /// Calls a command with one argument of any type.
    ///
    /// - Throws: As ``callMethod(_:_:returning:)``.
    public func call<Result: Decodable>(
        _ command: IPCString,
        _ argument: some Encodable,
        returning type: Result.Type
    ) async throws -> Result {
        try IPCValueDecoder().decode(type, from: try await call(command, ServiceSupport.encode(argument)))
    }

    /// Calls a command with one argument of any type, and ignores what it returns.
    public func call(_ command: IPCString, _ argument: some Encodable, returning type: Void.Type) async throws {
        _ = try await call(command, ServiceSupport.encode(argument))
    }

    /// Calls a command without an argument.
    ///
    /// - Throws: As ``callMethod(_:_:returning:)``.
    public func call<Result: Decodable>(_ command: IPCString, returning type: Result.Type) async throws -> Result {
        try IPCValueDecoder().decode(type, from: try await call(command, .undefined))
    }

    /// An event with payloads of a type. A listener ends with a `DecodingError` at the first one that is another.
    public func listen<Payload: Decodable & Sendable>(_ event: IPCString, of type: Payload.Type) -> Event<Payload> {
        ServiceSupport.decoded(listen(event, .undefined))
    }

    /// An event with an argument, with payloads of a type.
    public func listen<Payload: Decodable & Sendable>(
        _ event: IPCString,
        _ argument: some Encodable,
        of type: Payload.Type
    ) -> Event<Payload> {
        ServiceSupport.decoded(ServiceSupport.listen(self, event, argument))
    }
}
