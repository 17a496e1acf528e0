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
    let connection: PlainConnection

    /// Connects, runs `body`, and ends the connection, whatever comes of it.
    ///
    /// - Throws: ``CommandFailure`` when there is no connection, `CancellationError` when the task is cancelled before, and
    ///   what `body` throws.
    static func run<Value: Sendable>(
        _ endpoint: ClientEndpoint,
        context: IPCValue,
        _ body: (ServerSession) async throws -> Value
    ) async throws -> Value {
        let session = try await connect(endpoint, context)
        do {
            let value = try await body(session)
            await session.end()
            return value
        } catch {
            await session.end()
            throw error
        }
    }

    private static func connect(_ endpoint: ClientEndpoint, _ context: IPCValue) async throws -> ServerSession {
        do {
            var options = TransportOptions()
            options.lingerTimeout = linger
            let connection = try await PlainConnection.connect(to: endpoint, options: options)
            let client = try IPCClient(over: connection, context: context)
            // With TLS 1.3 a server refuses a certificate only now.
            try await withTaskCancellationHandler {
                try await client.waitUntilReady()
            } onCancel: {
                client.dispose()
            }
            return ServerSession(client: client, connection: connection)
        } catch let end as ConnectionEnd {
            try Task.checkCancellation()
            // Who refuses a connection that is there does not know what it is called here.
            let reason = end.reason.hasPrefix("\(endpoint): ") ? end.reason : "\(endpoint): \(end.reason)"
            throw CommandFailure("cannot connect: \(PrintableText.escaped(reason))", .unavailable)
        } catch let error as TLSConfigurationError {
            throw CommandFailure("\(error)", .configuration)
        }
    }

    /// Ends the connection: what was sent before leaves, and the server gets a moment to end its side too.
    private func end() async {
        client.dispose()
        try? await connection.channel.closeFuture.get()
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
