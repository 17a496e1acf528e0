// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Who is connected (VS Code's `IConnectionHub`).
public protocol ConnectionHub<Context>: AnyObject, Sendable {
    /// What a connection announces when it opens.
    associatedtype Context: Sendable

    /// The connections that are open, in the order in which they came.
    var connections: [Connection<Context>] { get }

    /// Fires when a connection has been opened and is among the others.
    var onDidAddConnection: Event<Connection<Context>> { get }

    /// Fires when a connection has ended, was disposed of, and is no longer among the others.
    var onDidRemoveConnection: Event<Connection<Context>> { get }
}

extension ConnectionHub {
    /// Finds a connection, or waits until one comes.
    ///
    /// - Parameter search: Finds one among those that are open, or nil. It is called again whenever one has come.
    /// - Throws: `CancellationError` when the task is cancelled; what `search` throws; ``ConnectionEnd`` when the server
    ///   is disposed of.
    func firstConnection(
        _ search: @Sendable ([Connection<Context>]) async throws -> Connection<Context>?
    ) async throws -> Connection<Context> {
        // Listening starts before the first look, so that nobody comes unseen in between.
        // However many come during one look, one more look finds them all.
        let (additions, news) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let subscription = onDidAddConnection.attach(
            EventSink(receive: { _ in news.yield() }, end: { _ in news.finish() })
        )
        defer { subscription.cancel() }
        var iterator = additions.makeAsyncIterator()
        repeat {
            if let found = try await search(connections) { return found }
        } while await iterator.next() != nil
        try Task.checkCancellation()
        throw ConnectionEnd.disposed
    }
}
