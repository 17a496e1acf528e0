// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// What the code that ``IPCService()`` generates is made of. Not for use by hand: see ``ServiceTable`` and the typed calls
/// of ``Channel`` for that.
public enum ServiceSupport {
    /// The result of a method.
    public static func result(_ value: some Encodable) throws -> IPCValue {
        try encode(value)
    }

    /// The argument of a dynamic event.
    public static func argument<Argument: Decodable>(
        _ argument: IPCValue,
        of event: IPCString,
        _ name: String? = nil,
        as type: Argument.Type = Argument.self
    ) throws -> Argument {
        try decode(type, from: argument, orRefuse: "\(event): argument\(name.map { " (\($0))" } ?? "")")
    }

    /// An event, or what can become one, as it travels.
    public static func event<Source: AsyncSequence & Sendable>(
        of source: Source
    ) -> Event<IPCValue> where Source.Element: Encodable & Sendable {
        asEvent(source).map { try encode($0) }
    }

    /// An event that carries nothing, or what can become one, as it travels.
    public static func event<Source: AsyncSequence & Sendable>(
        of source: Source
    ) -> Event<IPCValue> where Source.Element == Void {
        asEvent(source).map { .undefined }
    }

    /// What is an event already needs no task to iterate it, and no buffer that may overflow.
    private static func asEvent<Source: AsyncSequence & Sendable>(
        _ source: Source
    ) -> Event<Source.Element> where Source.Element: Sendable {
        source as? Event<Source.Element> ?? Event(source)
    }
}

extension ServiceSupport {
    /// A value as it travels. Nil is `undefined`: it is what JavaScript has for what is not there, and what makes a default
    /// of a TypeScript parameter apply.
    static func encode(_ value: some Encodable) throws -> IPCValue {
        try IPCValueEncoder().encode(value)
    }

    /// Reads what a caller sent.
    ///
    /// - Throws: ``RemoteError`` with the name `InvalidArgument`, to tell the caller what is wrong with it.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        from value: IPCValue,
        orRefuse what: @autoclosure () -> String
    ) throws -> Value {
        do {
            return try IPCValueDecoder().decode(type, from: value)
        } catch let error as DecodingError {
            throw invalidArgument("\(what()): \(explanation(error))")
        }
    }

    static func invalidArgument(_ message: String) -> RemoteError {
        RemoteError(name: "InvalidArgument", message: IPCString(message))
    }

    /// Where in the value something is wrong, and what.
    private static func explanation(_ error: DecodingError) -> String {
        let context: DecodingError.Context? =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context
            @unknown default:
                nil
            }
        guard let context else { return "\(error)" }
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        return path.isEmpty ? context.debugDescription : "at \(path): \(context.debugDescription)"
    }
}
