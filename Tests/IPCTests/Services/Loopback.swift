// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import Synchronization

/// What passed a channel.
enum Passed: Hashable, Sendable {
    case call(IPCString, IPCValue)
    case result(IPCValue)
    case listen(IPCString, IPCValue)
}

/// A channel that asks a server's directly, and remembers what passed.
final class Loopback<Server: ServerChannel>: Channel {
    private let server: Server
    private let context: Server.Context
    private let log = Mutex<[Passed]>([])

    init(_ server: Server, as context: Server.Context) {
        self.server = server
        self.context = context
    }

    /// What passed so far.
    var passed: [Passed] { log.withLock { $0 } }

    func call(_ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        log.withLock { $0.append(.call(command, argument)) }
        let result = try await server.call(context, command, argument)
        log.withLock { $0.append(.result(result)) }
        return result
    }

    func listen(_ event: IPCString, _ argument: IPCValue) -> Event<IPCValue> {
        log.withLock { $0.append(.listen(event, argument)) }
        // Silence is what the protocol has for an event that is not there.
        return (try? server.listen(context, event, argument)) ?? .never
    }
}

extension Loopback where Server.Context == String {
    convenience init(_ server: Server) {
        self.init(server, as: "window:1")
    }
}
