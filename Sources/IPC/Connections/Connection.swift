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
    public var onDidClose: Event<ConnectionEnd> { ended.event }

    /// Why the connection has ended; nil while it lives.
    public var end: ConnectionEnd? {
        finalEnd.withLock { $0 }
    }

    /// Waits until the connection has ended, or the task is cancelled.
    public func waitUntilClosed() async -> ConnectionEnd {
        var ends = onDidClose.makeAsyncIterator()
        return (try? await ends.next()) ?? end ?? .disposed
    }

    /// Ends the connection. The peer is told what is no longer wanted, calls that wait fail, handlers are cancelled, events
    /// end, and what was sent before still leaves.
    public func dispose() {
        channelClient.dispose()
        close(.disposed)
    }

    func close(_ end: ConnectionEnd) {
        // At once: a transport may take its time to end, and deliver what it has read meanwhile.
        channelServer.dispose()
        transport.close(end)
    }

    /// Takes a message of the peer, once the connection is open.
    func receive(_ bytes: [UInt8]) {
        guard bytes.count <= options.limits.frameBytes else {
            let text = "the peer sent a message of \(bytes.count) bytes; \(options.limits.frameBytes) are allowed"
            return close(ConnectionEnd(.malformed, text))
        }
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
        // First, so that whoever hears that a call has failed sees why.
        finalEnd.withLock { $0 = end }
        channelServer.dispose()
        channelClient.end(end)
        beforeTelling()
        ended.finish(firing: end)
    }
}
