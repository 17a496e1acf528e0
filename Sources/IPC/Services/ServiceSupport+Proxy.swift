// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

extension ServiceSupport {
    /// The channel behind a generated client.
    public struct Proxy: Sendable {
        private let channel: any Channel
        /// What comes before the parameters of each call.
        private let prefix: [IPCValue]

        /// Creates a proxy.
        ///
        /// - Parameters:
        ///   - channel: The channel of the service.
        ///   - context: What comes before the parameters of each call; nothing if it is `undefined` or `null`, as in VS Code.
        public init(_ channel: any Channel, context: IPCValue?) {
            self.channel = channel
            prefix =
                switch context {
                case nil, .undefined, .null: []
                case .some(let context): [context]
                }
        }

        /// Calls a method that returns something.
        public func call<each Parameter: Encodable, Result: Decodable>(
            _ command: IPCString,
            _ parameters: repeat each Parameter,
            returning type: Result.Type
        ) async throws -> Result {
            let argument = try ServiceSupport.array(prefix, repeat each parameters)
            return try IPCValueDecoder().decode(type, from: try await channel.call(command, argument))
        }

        /// Calls a method that returns nothing; whatever comes back is ignored.
        public func call<each Parameter: Encodable>(
            _ command: IPCString,
            _ parameters: repeat each Parameter
        ) async throws {
            _ = try await channel.call(command, ServiceSupport.array(prefix, repeat each parameters))
        }

        /// An event.
        public func event<Payload: Decodable & Sendable>(_ event: IPCString) -> Event<Payload> {
            ServiceSupport.decoded(channel.listen(event, .undefined))
        }

        /// An event that carries nothing.
        public func event(_ event: IPCString) -> Event<Void> {
            channel.listen(event, .undefined).map { _ in }
        }

        /// A dynamic event.
        public func event<Payload: Decodable & Sendable>(
            _ event: IPCString,
            _ argument: some Encodable
        ) -> Event<Payload> {
            ServiceSupport.decoded(ServiceSupport.listen(channel, event, argument))
        }

        /// A dynamic event that carries nothing.
        public func event(_ event: IPCString, _ argument: some Encodable) -> Event<Void> {
            ServiceSupport.listen(channel, event, argument).map { _ in }
        }
    }
}

extension ServiceSupport {
    /// Parameters as they travel.
    static func array<each Parameter: Encodable>(
        _ prefix: [IPCValue],
        _ parameters: repeat each Parameter
    ) throws -> IPCValue {
        var elements = prefix
        for parameter in repeat each parameters {
            elements.append(try encode(parameter))
        }
        return .array(elements)
    }

    /// An event with typed payloads.
    static func decoded<Payload: Decodable & Sendable>(_ event: Event<IPCValue>) -> Event<Payload> {
        event.map { try IPCValueDecoder().decode(Payload.self, from: $0) }
    }

    /// A dynamic event. Where the argument cannot be encoded, whoever listens is told.
    static func listen(_ channel: any Channel, _ event: IPCString, _ argument: some Encodable) -> Event<IPCValue> {
        do {
            return channel.listen(event, try encode(argument))
        } catch {
            return Event { sink in
                sink.finish(throwing: error)
                return EventSubscription()
            }
        }
    }
}
