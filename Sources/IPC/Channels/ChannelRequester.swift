// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// The asking side of a connection: numbers requests, holds them back until the peer is ready, and matches answers
/// (PROTOCOL 3.4, 3.7). Sans-I/O: it returns messages, and somebody else frames and sends them, in order.
///
/// Unlike VS Code it forgets a subscription with its end, and settles a call whose Error is `undefined` or `null`.
public struct ChannelRequester: Sendable {
    /// A request that was made.
    public struct Request: Sendable, Hashable {
        /// The id that answers and events will carry.
        public var id: UInt64
        /// What to send now; nil while the peer is not ready. It is released by ``Event/ready(released:)``.
        public var message: [UInt8]?
    }

    /// How a call ended.
    public enum Outcome: Sendable, Hashable {
        /// The result.
        case success(IPCValue)
        /// The handler failed with an Error.
        case failure(RemoteError)
        /// The handler failed with something that is not an Error.
        case failureValue(IPCValue)
    }

    /// What a message meant.
    public enum Event: Sendable, Hashable {
        /// The peer is ready for requests: send these messages now, in this order. Repeated when the peer repeats itself.
        case ready(released: [[UInt8]])
        /// A call has ended; nothing more is heard of its id.
        case answered(id: UInt64, Outcome)
        /// An event was fired.
        case fired(id: UInt64, payload: IPCValue)
    }

    private enum Entry: Sendable {
        case call
        case cancelledCall
        case subscription
    }

    /// Whether the peer has said that it is ready for requests.
    public private(set) var isReady = false

    private var nextID: UInt64 = 0
    private var entries: [UInt64: Entry] = [:]
    /// Requests made before the peer was ready, by id, and when each was made: withdrawing one must be cheap.
    private var heldBack: [UInt64: (place: Int, message: [UInt8])] = [:]
    private var nextPlace = 0

    /// Creates a requester that has asked nothing.
    public init() {}

    /// Calls without an answer, cancelled ones included, and live subscriptions.
    public var outstandingCount: Int { entries.count }

    /// Takes an id without making a request.
    ///
    /// VS Code does so for a call that is cancelled before it is made, and for an event nobody subscribes to.
    public mutating func takeID() -> UInt64 {
        defer { nextID += 1 }
        return nextID
    }

    /// Calls a command.
    ///
    /// - Parameters:
    ///   - channel: The name of the channel.
    ///   - command: The name of the command.
    ///   - argument: The argument.
    public mutating func call(
        _ channel: IPCString,
        _ command: IPCString,
        _ argument: IPCValue = .undefined
    ) -> Request {
        call(id: takeID(), channel, command, argument)
    }

    /// Calls a command under an id that was taken before.
    ///
    /// - Parameters:
    ///   - id: What ``takeID()`` gave, not used for anything else.
    ///   - channel: The name of the channel.
    ///   - command: The name of the command.
    ///   - argument: The argument.
    public mutating func call(
        id: UInt64,
        _ channel: IPCString,
        _ command: IPCString,
        _ argument: IPCValue
    ) -> Request {
        entries[id] = .call
        return request(id, IPCMessage.call(id: id, channel: channel, command: command, argument: argument))
    }

    /// Subscribes to an event. There is no confirmation, and no error when the peer does not know it.
    ///
    /// - Parameters:
    ///   - channel: The name of the channel.
    ///   - event: The name of the event.
    ///   - argument: The argument.
    ///   - formerID: The id of an ended subscription to use again, as VS Code does for one event object. An id that was
    ///     never given out, or is in use, is replaced by a new one.
    public mutating func listen(
        _ channel: IPCString,
        _ event: IPCString,
        _ argument: IPCValue = .undefined,
        reusing formerID: UInt64? = nil
    ) -> Request {
        let id: UInt64
        if let formerID, formerID < nextID, entries[formerID] == nil {
            id = formerID
        } else {
            id = takeID()
        }
        entries[id] = .subscription
        return request(id, IPCMessage.listen(id: id, channel: channel, event: event, argument: argument))
    }

    /// Cancels a call. Its caller should be told at once; the answer, if one comes, is swallowed.
    ///
    /// - Parameter id: The id of the call.
    /// - Returns: What to send; nil when the request was still held back (it never leaves) or is not an open call.
    public mutating func cancel(_ id: UInt64) -> [UInt8]? {
        guard entries[id] == .call else {
            return nil
        }
        if withdraw(id) {
            return nil
        }
        entries[id] = .cancelledCall
        return IPCMessage.cancel(id: id)
    }

    /// Ends a subscription.
    ///
    /// - Parameter id: The id of the subscription.
    /// - Returns: What to send; nil when the request was still held back (it never leaves) or is not a live subscription.
    public mutating func unlisten(_ id: UInt64) -> [UInt8]? {
        guard entries[id] == .subscription else {
            return nil
        }
        if withdraw(id) {
            return nil
        }
        entries[id] = nil
        return IPCMessage.unlisten(id: id)
    }

    /// Takes a message from the peer.
    ///
    /// - Parameter message: The message; requests are ignored, they are for a ``ChannelResponder``.
    /// - Returns: What it meant; nil for requests, unknown ids, answers to cancelled calls, and events of calls.
    public mutating func receive(_ message: DecodedMessage) -> Event? {
        // Before the peer is ready nothing was sent, so nothing can be answered.
        guard isReady || message == .initialize else {
            return nil
        }
        switch message {
        case .initialize:
            isReady = true
            let released = heldBack.values.sorted { $0.place < $1.place }.map(\.message)
            heldBack = [:]
            return .ready(released: released)
        case .success(let id, let result):
            return settle(id, body: result, outcome: .success(result))
        case .failure(let id, let error):
            return settle(id, body: error, outcome: .failure(RemoteError(body: error)))
        case .failureValue(let id, let value):
            return settle(id, body: value, outcome: .failureValue(value))
        case .event(let id, let payload):
            return entries[id] == .subscription ? .fired(id: id, payload: payload) : nil
        case .call, .cancel, .listen, .unlisten:
            return nil
        }
    }

    /// Handles an answer. With the id of a subscription any answer is an event, as with VS Code.
    private mutating func settle(_ id: UInt64, body: IPCValue, outcome: Outcome) -> Event? {
        switch entries[id] {
        case .subscription:
            return .fired(id: id, payload: body)
        case .call:
            entries[id] = nil
            return .answered(id: id, outcome)
        case .cancelledCall:
            entries[id] = nil
            return nil
        case nil:
            return nil
        }
    }

    /// Ends everything that is open, for a side that closes: what to send, in the order of ids (PROTOCOL 3.7).
    public mutating func dispose() -> [[UInt8]] {
        let open = entries.keys.sorted()
        // Nobody waits for late answers either.
        defer { entries = [:] }
        return open.compactMap { cancel($0) ?? unlisten($0) }
    }

    private mutating func request(_ id: UInt64, _ message: [UInt8]) -> Request {
        if isReady {
            return Request(id: id, message: message)
        }
        heldBack[id] = (nextPlace, message)
        nextPlace += 1
        return Request(id: id, message: nil)
    }

    /// Forgets a request that has not been sent; returns whether there was one.
    private mutating func withdraw(_ id: UInt64) -> Bool {
        guard heldBack.removeValue(forKey: id) != nil else {
            return false
        }
        entries[id] = nil
        return true
    }
}
