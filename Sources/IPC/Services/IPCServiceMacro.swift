// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Makes a typed service of a protocol: a client for a channel of a peer, and a channel to offer.
///
/// ```swift
/// @IPCService
/// protocol StorageService: Sendable {
///     func get(_ key: String) async throws -> String?
///     func set(_ key: String, to value: String) async throws
///     var onDidChange: Event<String> { get }
///     func onDynamicChange(_ key: String) -> Event<Int>
/// }
///
/// let storage: any StorageService = StorageServiceClient(channel)
/// let offered = StorageServiceChannel<String>(DiskStorage())
/// ```
///
/// Names and shapes are those of VS Code's `ProxyChannel`, so that `ProxyChannel.toService` and `ProxyChannel.fromService`
/// fit the other side:
///
/// * A method, which is `async throws`, is a command of the same name. Its parameters travel as an array, without their
///   labels; one that the caller leaves out reads as `undefined`, which is nil for an `Optional`; one too many is ignored.
/// * A property is an event: named `on` and a capital, of type ``Event``, `AsyncStream`, `AsyncThrowingStream`, or
///   `any AsyncSequence<Payload, any Error> & Sendable`. A stream has its elements once, so a service returns a new one
///   each time. (Any `AsyncSequence & Sendable` will do that has an `init(_:)` which takes an ``Event``.)
/// * A function that returns an event is a dynamic one: named `onDynamic` and a capital, with one parameter.
/// * ``IPCName(_:)`` gives a requirement another name on the wire than in Swift.
///
/// What travels is `Codable`, or an `IPCValue`, which stays as it is. `nil` travels as `undefined`.
///
/// Of a protocol `Name` there come `NameClient` and `NameChannel<Context>`. The client may be given a context, which it
/// prepends to the parameters of each call as `ProxyChannel` does: the method at the peer has it as its first parameter.
/// The channel is made of a service, or of a closure that finds the service for who calls. Unlike VS Code's it does not
/// keep for the first listener what was fired before: an ``Event`` fires to those who listen.
@attached(peer, names: suffixed(Client), suffixed(Channel))
public macro IPCService() = #externalMacro(module: "IPCMacros", type: "IPCServiceMacro")

/// The name of a requirement of an ``IPCService()`` protocol on the wire, where it is not the one in Swift.
///
/// It follows the same rules: an event is named `onChange`, a dynamic one `onDynamicChange`, a method otherwise.
@attached(peer)
public macro IPCName(_ name: String) = #externalMacro(module: "IPCMacros", type: "IPCNameMacro")
