// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Something that carries messages in order, both ways: a socket, TLS, two pipes, or memory (VS Code's
/// `IMessagePassingProtocol`). Channels run over anything that conforms.
///
/// Every method may be called from any thread. What it delivers, it delivers to one receiver, one message after the
/// other, never two at once, and never from within a call to one of its own methods: the caller may hold a lock.
public protocol MessagePassingProtocol: AnyObject, Sendable {
    /// Starts delivery. Called once, before anything is sent; what came earlier is delivered first.
    ///
    /// - Parameter receiver: Who gets the messages, and is told of the end. Kept until the end.
    func start(delivering receiver: any MessageReceiver)

    /// Sends a message: at once or soon, in the order of the calls. Never blocks. After the end it does nothing.
    ///
    /// - Parameter message: The body of a Regular frame.
    func send(_ message: [UInt8])

    /// Whether more waits to be sent than should: the peer reads slowly. What is sent all the same is kept, so whoever
    /// makes messages waits with ``drain()`` while this is true. False after the end.
    var isCongested: Bool { get }

    /// Waits until ``isCongested`` is false or the end has come.
    func drain() async

    /// Stops or restarts delivery. While it is stopped the transport stops reading too, as soon as it can: the peer is
    /// slowed down, and nothing piles up here.
    func setDelivering(_ isDelivering: Bool)

    /// Ends it: what was sent before still leaves, then the connection is closed and the receiver hears so. What has come
    /// and was not delivered may be dropped. Before ``start(delivering:)`` it counts too: the receiver hears of the end then.
    ///
    /// - Parameter end: What the receiver is told. Of several calls the first counts.
    func close(_ end: ConnectionEnd)
}

extension MessagePassingProtocol {
    /// Never, unless the conforming type knows better.
    public var isCongested: Bool { false }

    /// Returns at once, unless the conforming type knows better.
    public func drain() async {}

    /// Does nothing, unless the conforming type knows better.
    public func setDelivering(_ isDelivering: Bool) {}
}

/// Who gets the messages of a ``MessagePassingProtocol``.
///
/// Its methods are called one after the other, never two at once.
public protocol MessageReceiver: AnyObject, Sendable {
    /// A message has come.
    func receive(_ message: [UInt8])

    /// The connection has ended. Nothing is received after it. Called once.
    func connectionEnded(_ end: ConnectionEnd)
}
