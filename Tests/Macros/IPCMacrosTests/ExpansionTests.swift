// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("@IPCService")
struct ExpansionTests {
    @Test("makes a client and a channel of a protocol, as public as it is")
    func service() {
        expectExpansion(
            of: """
                @IPCService
                public protocol StorageService: Sendable {
                    func get(_ key: String) async throws -> String?
                    @IPCName("setItem") func set(_ key: String, to value: IPCValue) async throws
                    func count() async throws -> Int
                    var onDidChange: Event<String> { get }
                    func onDynamicChange(_ key: String) -> Event<Int>
                }
                """,
            """
            public protocol StorageService: Sendable {
                func get(_ key: String) async throws -> String?
                func set(_ key: String, to value: IPCValue) async throws
                func count() async throws -> Int
                var onDidChange: Event<String> { get }
                func onDynamicChange(_ key: String) -> Event<Int>
            }

            /// Calls a ``StorageService`` at the other end of a channel.
            public nonisolated struct StorageServiceClient: StorageService {
                private let ipcProxy: IPC.ServiceSupport.Proxy

                /// Creates a client.
                ///
                /// - Parameters:
                ///   - channel: The channel of the service.
                ///   - context: What comes before the parameters of each call.
                public init(_ channel: any IPC.Channel, context: IPC.IPCValue? = nil) {
                    self.ipcProxy = IPC.ServiceSupport.Proxy(channel, context: context)
                }

                public func get(_ key: String) async throws -> String? {
                    try await ipcProxy.call("get", key, returning: (String?).self)
                }

                public func set(_ key: String, to value: IPCValue) async throws {
                    try await ipcProxy.call("setItem", key, value)
                }

                public func count() async throws -> Int {
                    try await ipcProxy.call("count", returning: (Int).self)
                }

                public var onDidChange: Event<String> {
                    Event<String>(ipcProxy.event("onDidChange"))
                }

                public func onDynamicChange(_ key: String) -> Event<Int> {
                    Event<Int>(ipcProxy.event("onDynamicChange", key))
                }
            }

            /// Offers a ``StorageService``.
            public nonisolated struct StorageServiceChannel<Context: Sendable>: IPC.ServerChannel {
                private let ipcService: @Sendable (Context) -> any StorageService

                /// Offers one service to all who call.
                public init(_ service: some StorageService) {
                    self.ipcService = { _ in
                        service
                    }
                }

                /// Offers each caller a service of its own, found anew for each request.
                public init(_ service: @escaping @Sendable (_ caller: Context) -> any StorageService) {
                    self.ipcService = service
                }

                /// Calls the method of that name.
                public func call(
                    _ context: Context,
                    _ command: IPC.IPCString,
                    _ argument: IPC.IPCValue
                ) async throws -> IPC.IPCValue {
                    switch command {
                    case "get":
                        let parameters = try IPC.ServiceSupport.Parameters(argument, of: command)
                        return try await IPC.ServiceSupport.result(ipcService(context).get(parameters.decode(0, "key")))
                    case "setItem":
                        let parameters = try IPC.ServiceSupport.Parameters(argument, of: command)
                        try await ipcService(context).set(parameters.decode(0, "key"), to: parameters.decode(1, "value"))
                        return .undefined
                    case "count":
                        return try await IPC.ServiceSupport.result(ipcService(context).count())
                    default:
                        throw IPC.RemoteError.methodNotFound(command)
                    }
                }

                /// Gives the event of that name.
                public func listen(
                    _ context: Context,
                    _ event: IPC.IPCString,
                    _ argument: IPC.IPCValue
                ) throws -> IPC.Event<IPC.IPCValue> {
                    switch event {
                    case "onDidChange":
                        return IPC.ServiceSupport.event(of: ipcService(context).onDidChange)
                    case "onDynamicChange":
                        return try IPC.ServiceSupport.event(
                            of: ipcService(context).onDynamicChange(
                                IPC.ServiceSupport.argument(argument, of: event, "key")
                            )
                        )
                    default:
                        throw IPC.RemoteError.eventNotFound(event)
                    }
                }
            }
            """
        )
    }

    @Test("has nothing to listen to where there are no events, and nothing to call where there are no methods")
    func empty() {
        expectExpansion(
            of: """
                @IPCService
                @available(*, deprecated)
                @available(macOS 26, *)
                fileprivate protocol Nothing: Sendable {
                }
                """,
            """
            @available(*, deprecated)
            @available(macOS 26, *)
            fileprivate protocol Nothing: Sendable {
            }

            /// Calls a ``Nothing`` at the other end of a channel.
            @available(*, deprecated)
            @available(macOS 26, *)
            fileprivate nonisolated struct NothingClient: Nothing {
                private let ipcProxy: IPC.ServiceSupport.Proxy

                /// Creates a client.
                ///
                /// - Parameters:
                ///   - channel: The channel of the service.
                ///   - context: What comes before the parameters of each call.
                init(_ channel: any IPC.Channel, context: IPC.IPCValue? = nil) {
                    self.ipcProxy = IPC.ServiceSupport.Proxy(channel, context: context)
                }
            }

            /// Offers a ``Nothing``.
            @available(*, deprecated)
            @available(macOS 26, *)
            fileprivate nonisolated struct NothingChannel<Context: Sendable>: IPC.ServerChannel {
                private let ipcService: @Sendable (Context) -> any Nothing

                /// Offers one service to all who call.
                init(_ service: some Nothing) {
                    self.ipcService = { _ in
                        service
                    }
                }

                /// Offers each caller a service of its own, found anew for each request.
                init(_ service: @escaping @Sendable (_ caller: Context) -> any Nothing) {
                    self.ipcService = service
                }

                /// Calls the method of that name.
                func call(
                    _ context: Context,
                    _ command: IPC.IPCString,
                    _ argument: IPC.IPCValue
                ) async throws -> IPC.IPCValue {
                    switch command {
                    default:
                        throw IPC.RemoteError.methodNotFound(command)
                    }
                }
            }
            """
        )
    }
}
