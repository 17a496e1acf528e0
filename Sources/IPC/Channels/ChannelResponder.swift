// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// The answering side of a connection: keeps track of what the peer has asked for (PROTOCOL 3.6). Sans-I/O: the
/// application does what an ``Action`` says and gets the bytes of its answers here.
public struct ChannelResponder: Sendable {
    /// What to do about a message.
    public enum Action: Sendable, Hashable {
        /// Run a command, and answer with ``succeed(_:with:)``, ``fail(_:name:message:stack:)`` or ``fail(_:with:)``.
        case call(id: UInt64, channel: IPCString, command: IPCString, argument: IPCValue)
        /// Tell the handler of this call to stop. Its outcome is still answered.
        case cancel(id: UInt64)
        /// Attach a listener, and pass what is fired to ``fire(_:payload:)``. There is no answer.
        case listen(id: UInt64, channel: IPCString, event: IPCString, argument: IPCValue)
        /// Detach the listener.
        case unlisten(id: UInt64)
        /// Nothing: not a request, or an id that is not open.
        case ignore
        /// The peer uses an id that is still open. VS Code serves both and loses track of one; here the request is not
        /// registered, and the application should end the connection.
        case duplicateID(UInt64)
    }

    private enum Entry: Sendable {
        case call
        case cancelledCall
        case subscription
    }

    /// Calls and subscriptions share the ids.
    private var entries: [UInt64: Entry] = [:]

    /// Creates a responder that nobody has asked anything.
    public init() {}

    /// Calls that wait for their answer, and subscriptions.
    public var openCount: Int { entries.count }

    /// Calls that wait for their answer.
    public var callCount: Int {
        entries.values.count { $0 != .subscription }
    }

    /// Ends everything, for a connection that is gone.
    ///
    /// - Returns: What to cancel and to detach, in the order of ids.
    public mutating func dispose() -> [Action] {
        let ended = entries.sorted { $0.key < $1.key }
        entries = [:]
        return ended.compactMap { id, entry in
            switch entry {
            case .call: .cancel(id: id)
            case .subscription: .unlisten(id: id)
            case .cancelledCall: nil
            }
        }
    }

    /// Takes a message from the peer.
    ///
    /// - Parameter message: The message; answers are ignored, they are for a ``ChannelRequester``.
    /// - Returns: What to do.
    public mutating func receive(_ message: DecodedMessage) -> Action {
        switch message {
        case .call(let id, let channel, let command, let argument):
            guard register(id, .call) else {
                return .duplicateID(id)
            }
            return .call(id: id, channel: channel, command: command, argument: argument)
        case .listen(let id, let channel, let event, let argument):
            guard register(id, .subscription) else {
                return .duplicateID(id)
            }
            return .listen(id: id, channel: channel, event: event, argument: argument)
        case .cancel(let id), .unlisten(let id):
            return close(id)
        case .initialize, .success, .failure, .failureValue, .event:
            return .ignore
        }
    }

    /// Answers a call with its result.
    ///
    /// - Parameters:
    ///   - id: The id of the call.
    ///   - result: The result.
    /// - Returns: What to send; nil when the call is not open: each is answered once.
    public mutating func succeed(_ id: UInt64, with result: IPCValue = .undefined) -> [UInt8]? {
        finish(id) ? IPCMessage.success(id: id, result: result) : nil
    }

    /// Answers a call with an Error.
    ///
    /// - Parameters:
    ///   - id: The id of the call.
    ///   - name: The name of the Error.
    ///   - message: What went wrong.
    ///   - stack: The lines of the stack. A peer learns file names from it; leave it out for strangers.
    /// - Returns: What to send; nil when the call is not open: each is answered once.
    public mutating func fail(_ id: UInt64, name: String, message: String, stack: [String]? = nil) -> [UInt8]? {
        finish(id) ? IPCMessage.failure(id: id, name: name, message: message, stack: stack) : nil
    }

    /// Answers a call with a failure that is not an Error.
    ///
    /// - Parameters:
    ///   - id: The id of the call.
    ///   - value: What the handler failed with.
    /// - Returns: What to send; nil when the call is not open: each is answered once.
    public mutating func fail(_ id: UInt64, with value: IPCValue) -> [UInt8]? {
        finish(id) ? IPCMessage.failureValue(id: id, value: value) : nil
    }

    /// Sends what an event was fired with.
    ///
    /// - Parameters:
    ///   - id: The id of the subscription.
    ///   - payload: What the event carries.
    /// - Returns: What to send; nil when the subscription has ended.
    public func fire(_ id: UInt64, payload: IPCValue = .undefined) -> [UInt8]? {
        entries[id] == .subscription ? IPCMessage.event(id: id, payload: payload) : nil
    }

    private mutating func register(_ id: UInt64, _ entry: Entry) -> Bool {
        guard entries[id] == nil else {
            return false
        }
        entries[id] = entry
        return true
    }

    /// Whether a call waits for its answer, and was not cancelled.
    func isRunning(_ id: UInt64) -> Bool {
        entries[id] == .call
    }

    /// Whether a subscription is live.
    func isSubscribed(_ id: UInt64) -> Bool {
        entries[id] == .subscription
    }

    /// Whether the id is in use.
    func isOpen(_ id: UInt64) -> Bool {
        entries[id] != nil
    }

    /// 101 and 103 are interchangeable: either closes what has the id, as with VS Code.
    private mutating func close(_ id: UInt64) -> Action {
        switch entries[id] {
        case .call:
            entries[id] = .cancelledCall
            return .cancel(id: id)
        case .subscription:
            entries[id] = nil
            return .unlisten(id: id)
        case .cancelledCall, nil:
            return .ignore
        }
    }

    /// Forgets a call that is answered; false when it is not open: each is answered once.
    mutating func finish(_ id: UInt64) -> Bool {
        switch entries[id] {
        case .call, .cancelledCall:
            entries[id] = nil
            return true
        case .subscription, nil:
            return false
        }
    }
}
