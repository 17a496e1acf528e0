// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPC
internal import IPCProtocol
internal import IPCTransport
internal import NIOCore
internal import TLSEngine

/// A connection of a command: made, used, and ended in order.
struct ServerSession: Sendable {
    /// How long the server may take to end the connection after this side has.
    private static let linger = Duration.milliseconds(500)

    /// Who asks.
    let client: IPCClient<IPCValue>
    /// What carries it.
    let connection: any MessagePassingProtocol
    /// Returns when it is closed.
    private let closed: @Sendable () async -> Void

    /// Connects, runs `body`, and ends the connection, whatever comes of it.
    ///
    /// - Parameter isPersistent: Whether the session outlives its connections. What becomes of them is said on standard
    ///   error.
    /// - Throws: ``CommandFailure`` when there is no connection, `CancellationError` when the task is cancelled before, and
    ///   what `body` throws.
    static func run<Value: Sendable>(
        _ endpoint: ClientEndpoint,
        context: IPCValue,
        isPersistent: Bool = false,
        _ body: (ServerSession) async throws -> Value
    ) async throws -> Value {
        let session = try await connect(endpoint, context, isPersistent)
        do {
            let value = try await body(session)
            await session.end()
            return value
        } catch {
            await session.end()
            throw error
        }
    }

    private static func connect(
        _ endpoint: ClientEndpoint,
        _ context: IPCValue,
        _ isPersistent: Bool
    ) async throws -> ServerSession {
        do {
            var options = TransportOptions()
            options.lingerTimeout = linger
            let (connection, closed) = try await dial(endpoint, options, isPersistent)
            let client = try IPCClient(over: connection, context: context)
            // With TLS 1.3 a server refuses a certificate only now.
            try await withTaskCancellationHandler {
                try await client.waitUntilReady()
            } onCancel: {
                client.dispose()
            }
            return ServerSession(client: client, connection: connection, closed: closed)
        } catch let end as ConnectionEnd {
            try Task.checkCancellation()
            // Who refuses a connection that is there does not know what it is called here.
            let reason = end.reason.hasPrefix("\(endpoint): ") ? end.reason : "\(endpoint): \(end.reason)"
            throw CommandFailure("cannot connect: \(PrintableText.escaped(reason))", .unavailable)
        } catch let error as TLSConfigurationError {
            throw CommandFailure("\(error)", .configuration)
        }
    }

    private static func dial(
        _ endpoint: ClientEndpoint,
        _ options: TransportOptions,
        _ isPersistent: Bool
    ) async throws -> (any MessagePassingProtocol, @Sendable () async -> Void) {
        guard isPersistent else {
            let connection = try await PlainConnection.connect(to: endpoint, options: options)
            return (connection, { try? await connection.channel.closeFuture.get() })
        }
        let connection = try await PersistentConnection.connect(to: [endpoint], transport: options)
        let states = connection.states
        let notes = Task {
            var note = ReconnectionNote()
            for await state in states {
                if let line = note.line(for: state) { Console.complain(line) }
            }
        }
        return (
            connection,
            {
                await connection.waitUntilEnded()
                await notes.value
            }
        )
    }

    /// Ends the connection: what was sent before leaves, and the server gets a moment to end its side too.
    private func end() async {
        client.dispose()
        await closed()
    }
}

/// Time that a command may take.
enum Deadline {
    /// Runs work, and cancels it when it takes too long.
    ///
    /// - Throws: What `failure` makes, when the time is over; else what the work throws.
    static func run<Value: Sendable>(
        seconds: Double?,
        failure: @Sendable () -> CommandFailure,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        guard let seconds else { return try await work() }
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            if let value = try await group.next() ?? nil { return value }
            group.cancelAll()
            // It has been told; what it makes of that is of no interest any more, except that it is done.
            _ = try? await group.next()
            throw failure()
        }
    }
}
