// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol

/// A server with clients that each have a channel `c` and an event on it.
final class Clients: Sendable {
    final class Member: Sendable {
        let client: IPCClient<String>
        let emitter = EventEmitter<IPCValue>()

        init(_ server: IPCServer<String>, _ context: String) throws {
            let (near, far) = MessagePair.make()
            server.accept(far)
            client = try IPCClient(over: near, context: context)
            var channel = FunctionChannel<String>.event(emitter.event)
            channel.onCall = { context, command, argument in [IPCValue(context), .string(command), argument] }
            client.registerChannel("c", channel)
        }
    }

    let server = IPCServer<String>()

    /// Connects a client; it is among the others when this returns.
    func add(_ context: String) async throws -> Member {
        let count = server.connections.count
        let member = try Member(server, context)
        try await eventually("\(context) has come") { server.connections.count == count + 1 }
        return member
    }

    func remove(_ member: Member) async throws {
        let count = server.connections.count
        member.client.dispose()
        try await eventually("one has gone") { server.connections.count == count - 1 }
    }
}
