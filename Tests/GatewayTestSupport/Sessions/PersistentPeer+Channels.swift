// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
public import IPCProtocol

/// Calls and subscriptions, for tests that do not look at the messages themselves: these functions take all messages.
extension PersistentPeer {
    /// Makes a call without waiting for its answer.
    ///
    /// - Returns: Its id, for ``answer(to:milliseconds:)`` and ``cancel(_:)``.
    @discardableResult
    public func call(_ channel: IPCString, _ command: IPCString, _ argument: IPCValue = .undefined) throws -> UInt64 {
        let request = requester.call(channel, command, argument)
        if let message = request.message { try send(message) }
        return request.id
    }

    /// Makes a call and waits for its answer.
    ///
    /// - Throws: As ``answer(to:milliseconds:)``.
    public func ask(
        _ channel: IPCString,
        _ command: IPCString,
        _ argument: IPCValue = .undefined,
        milliseconds: Int32 = patient(10_000)
    ) throws -> IPCValue {
        try answer(to: try call(channel, command, argument), milliseconds: milliseconds)
    }

    /// Cancels a call.
    public func cancel(_ id: UInt64) throws {
        if let message = requester.cancel(id) { try send(message) }
    }

    /// Waits for the answer to a call, over one connection.
    ///
    /// - Throws: `RemoteError` when the handler, or the gateway, answers with an Error; `TimedOut` when no answer came,
    ///   also when the connection ended: then it can be asked for again after ``resume(token:tls:keepingLast:milliseconds:)``.
    public func answer(to id: UInt64, milliseconds: Int32 = patient(10_000)) throws -> IPCValue {
        guard try pump(milliseconds: milliseconds, until: { self.answers[id] != nil }),
            let answer = answers.removeValue(forKey: id)
        else {
            throw TimedOut(description: "no answer to call \(id): \(ending.map { "\($0)" } ?? "nothing came")")
        }
        return try answer.get()
    }

    /// The answers that have come and were not asked for.
    public var answerCount: Int { answers.count }

    /// Subscribes to an event.
    public func listen(_ channel: IPCString, _ event: IPCString, _ argument: IPCValue = .undefined) throws -> UInt64 {
        let request = requester.listen(channel, event, argument)
        if let message = request.message { try send(message) }
        return request.id
    }

    /// Ends a subscription.
    public func unlisten(_ id: UInt64) throws {
        if let message = requester.unlisten(id) { try send(message) }
    }

    /// Takes the events of a subscription that have come; waits until there are as many as asked for.
    public func events(of id: UInt64, atLeast count: Int = 0, milliseconds: Int32 = patient(10_000)) throws
        -> [IPCValue]
    {
        try pump(milliseconds: milliseconds) { self.events[id, default: []].count >= count }
        return events.removeValue(forKey: id) ?? []
    }

    /// Waits until the server is ready for requests.
    public func waitUntilReady(milliseconds: Int32 = patient(10_000)) throws {
        guard try pump(milliseconds: milliseconds, until: { self.requester.isReady }) else {
            throw TimedOut(description: "the server did not say that it is ready")
        }
    }

    /// Takes messages until something is true.
    ///
    /// - Returns: Whether it is.
    @discardableResult
    public func pump(milliseconds: Int32, until isDone: () throws -> Bool = { false }) throws -> Bool {
        try takeMessages()
        if try isDone() { return true }
        try poll(milliseconds: milliseconds) {
            try self.takeMessages()
            return try isDone()
        }
        try takeMessages()
        return try isDone()
    }

    private func takeMessages() throws {
        while let message = takeMessage() {
            switch requester.receive(try IPCMessage.decode(message)) {
            case .ready(let released): for message in released { try send(message) }
            case .fired(let id, let payload): events[id, default: []].append(payload)
            case .answered(let id, .success(let value)): answers[id] = .success(value)
            case .answered(let id, .failure(let error)): answers[id] = .failure(error)
            case .answered(let id, .failureValue(let value)):
                answers[id] = .failure(RemoteError(name: nil, message: value.string.map { IPCString($0) } ?? ""))
            case nil: break
            }
        }
    }
}
