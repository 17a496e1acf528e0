// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol
internal import Synchronization

/// One connection, seen from either end: a channel server that answers the peer, a channel client that asks it, and the
/// context that says who the client is.
///
/// Thread-safe.
public final class Connection<Context: Sendable>: Sendable {
    /// Who the client is: what it announced. At the client's end, what it announced itself.
    public let context: Context

    /// Answers what the peer asks.
    public let channelServer: ChannelServer<Context>

    /// Asks the peer.
    public let channelClient: ChannelClient

    private let transport: any MessagePassingProtocol
    private let options: ConnectionOptions
    private let ended = EventEmitter<ConnectionEnd>()
    private let finalEnd = Mutex<ConnectionEnd?>(nil)

    init(over transport: any MessagePassingProtocol, context: Context, options: ConnectionOptions) {
        self.transport = transport
        self.context = context
        self.options = options
        channelServer = ChannelServer(over: transport, context: context, options: options)
        channelClient = ChannelClient(over: transport)
    }

    /// A channel of the peer. There is no error when the peer does not have it, until it is called.
    public func channel(_ name: IPCString) -> any Channel {
        channelClient.channel(name)
    }

    /// Offers a channel to the peer, on this connection only.
    public func registerChannel(_ name: IPCString, _ channel: some ServerChannel<Context>) {
        channelServer.registerChannel(name, channel)
    }

    /// Fires once, when the connection has ended and everything that hung on it was disposed of; at once for those who
    /// come later.
    public var onDidClose: Event<ConnectionEnd> {
        Event { sink in
            let subscription = self.ended.event.attach(sink)
            // Whoever attaches in this moment may be told twice, but never not at all.
            if let end = self.end {
                subscription.cancel()
                sink.send(end)
                sink.finish()
            }
            return subscription
        }
    }

    /// Why the connection has ended; nil while it lives.
    public var end: ConnectionEnd? {
        finalEnd.withLock { $0 }
    }

    /// Waits until the connection has ended.
    public func waitUntilClosed() async -> ConnectionEnd {
        // The iteration ends early only when the task is cancelled.
        for await end in AsyncStream(
            ConnectionEnd.self,
            bufferingPolicy: .bufferingOldest(1),
            { continuation in
                let subscription = onDidClose.subscribe { continuation.yield($0) }
                continuation.onTermination = { _ in subscription.cancel() }
            }
        ) {
            return end
        }
        return end ?? .disposed
    }

    /// Ends the connection. The peer is told what is no longer wanted, calls that wait fail, handlers are cancelled, events
    /// end, and what was sent before still leaves.
    public func dispose() {
        channelClient.dispose()
        close(.disposed)
    }

    func close(_ end: ConnectionEnd) {
        transport.close(end)
    }

    /// Takes a message of the peer, once the connection is open.
    func receive(_ bytes: [UInt8]) {
        let message: DecodedMessage
        do throws(WireError) {
            message = try IPCMessage.decode(bytes.span, mode: options.decoding, limits: options.limits)
        } catch {
            // VS Code drops what it cannot read, too.
            if options.decoding == .strict {
                close(ConnectionEnd(.malformed, "the peer sent a message nobody can read: \(error)"))
            }
            options.report?("a message could not be read: \(error)")
            return
        }
        switch message {
        case .call, .cancel, .listen, .unlisten:
            if let end = channelServer.receive(message, byteCount: bytes.count) { close(end) }
        default:
            channelClient.receive(message)
        }
    }

    /// Ends everything that hangs on the connection.
    func connectionEnded(_ end: ConnectionEnd, beforeTelling: () -> Void = {}) {
        channelServer.dispose()
        channelClient.end(end)
        finalEnd.withLock { $0 = end }
        beforeTelling()
        ended.fire(end)
        ended.finish()
    }
}
