// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Synchronization

/// A channel made of closures.
struct FunctionChannel<Context: Sendable>: ServerChannel {
    var onCall: @Sendable (Context, IPCString, IPCValue) async throws -> IPCValue = { _, command, _ in
        throw RemoteError.methodNotFound(command)
    }
    var onListen: @Sendable (Context, IPCString, IPCValue) throws -> Event<IPCValue> = { _, event, _ in
        throw RemoteError.eventNotFound(event)
    }

    func call(_ context: Context, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        try await onCall(context, command, argument)
    }

    func listen(_ context: Context, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        try onListen(context, event, argument)
    }
}

extension FunctionChannel {
    /// A channel with calls only.
    static func calls(
        _ onCall: @escaping @Sendable (Context, IPCString, IPCValue) async throws -> IPCValue
    ) -> Self {
        Self(onCall: onCall)
    }

    /// A channel where every event is this one.
    static func event(_ event: Event<IPCValue>) -> Self {
        Self(onListen: { _, _, _ in event })
    }
}

/// A client whose server is the test.
struct ScriptedClient {
    let transport = ScriptedTransport()
    let client: IPCClient<String>

    init(ready: Bool = true, options: ConnectionOptions = ConnectionOptions()) throws {
        client = try IPCClient(over: transport, context: "me", options: options)
        if ready { transport.deliver(IPCMessage.initialize) }
    }

    /// What was sent after the context and Initialize.
    var sent: [DecodedMessage] {
        get throws { try transport.sent.dropFirst(2).map { try IPCMessage.decode($0) } }
    }

    var asking: ChannelClient { client.connection.channelClient }

    /// Starts a call; it is sent when this returns.
    func start(_ command: IPCString, _ argument: IPCValue = .undefined) -> Task<CallOutcome, Never> {
        let channel = client.channel("c")
        return Task.immediate { await CallOutcome { try await channel.call(command, argument) } }
    }
}

/// A server whose client is the test.
struct ScriptedServer {
    let transport: ScriptedTransport
    let server: IPCServer<String>

    init(
        options: ConnectionOptions = ConnectionOptions(),
        pausable: Bool = true,
        channels: [IPCString: FunctionChannel<String>] = [:]
    ) throws {
        transport = ScriptedTransport(pausable: pausable)
        server = IPCServer(options: options)
        for (name, channel) in channels { server.registerChannel(name, channel) }
        server.accept(transport)
        transport.deliver(IPCMessage.context("peer"))
        transport.deliver(IPCMessage.initialize)
    }

    /// What was sent after Initialize.
    var sent: [DecodedMessage] {
        get throws { try transport.sent.dropFirst(1).map { try IPCMessage.decode($0) } }
    }

    var answering: ChannelServer<String>? { server.connections.first?.channelServer }

    func call(_ id: UInt64, _ channel: IPCString = "c", _ command: IPCString = "x", _ argument: IPCValue = .undefined) {
        transport.deliver(IPCMessage.call(id: id, channel: channel, command: command, argument: argument))
    }

    func listen(_ id: UInt64, _ channel: IPCString = "c", _ event: IPCString = "onX") {
        transport.deliver(IPCMessage.listen(id: id, channel: channel, event: event))
    }

    func cancel(_ id: UInt64) { transport.deliver(IPCMessage.cancel(id: id)) }

    func unlisten(_ id: UInt64) { transport.deliver(IPCMessage.unlisten(id: id)) }
}

/// Things that happened, in order.
final class Log<Entry: Sendable>: Sendable {
    private let list = Mutex<[Entry]>([])

    var entries: [Entry] { list.withLock { $0 } }

    var count: Int { list.withLock { $0.count } }

    func append(_ entry: Entry) { list.withLock { $0.append(entry) } }
}

/// Knows whether an object still lives.
struct Observed<Object: AnyObject & Sendable>: @unchecked Sendable {
    private(set) weak var object: Object?

    init(_ object: Object) { self.object = object }

    var isGone: Bool { object == nil }
}
