// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
import Synchronization

/// A transport whose other side is the test: it records what is sent, and delivers what it is told to, on the thread of the
/// test. What a handler does before its first suspension is done when ``deliver(_:)`` returns.
public final class ScriptedTransport: MessagePassingProtocol {
    private struct State {
        var receiver: (any MessageReceiver)?
        var sent: [[UInt8]] = []
        var isCongested = false
        var isDelivering = true
        var backlog: [[UInt8]] = []
        var end: ConnectionEnd?
        var hasEnded = false
        var drainers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    /// Held while something is delivered: one thing after the other.
    private let delivering = Mutex(())
    private let acceptsSetDelivering: Bool

    /// Creates a transport that nobody uses yet.
    ///
    /// - Parameter pausable: Whether it heeds ``setDelivering(_:)``; a careless one may go on to deliver.
    public init(pausable: Bool = true) {
        acceptsSetDelivering = pausable
    }

    // MARK: For the test

    /// Everything that was sent.
    public var sent: [[UInt8]] { state.withLock { $0.sent } }

    /// Whether somebody receives.
    public var hasReceiver: Bool { state.withLock { $0.receiver != nil } }

    /// Whether delivery was not stopped.
    public var isDelivering: Bool { state.withLock { $0.isDelivering } }

    /// What it was closed with by this side; nil while it is open.
    public var end: ConnectionEnd? { state.withLock { $0.end } }

    /// How many wait until it is not congested any more.
    public var drainerCount: Int { state.withLock { $0.drainers.count } }

    /// Delivers a message, or keeps it while delivery is stopped. After the end it does nothing.
    public func deliver(_ message: [UInt8]) {
        delivering.withLock { _ in
            let receiver = state.withLock { state -> (any MessageReceiver)? in
                guard state.isDelivering || !acceptsSetDelivering else {
                    state.backlog.append(message)
                    return nil
                }
                return state.end == nil ? state.receiver : nil
            }
            receiver?.receive(message)
        }
    }

    /// Ends it, as the peer or the network does.
    public func endFromPeer(_ end: ConnectionEnd = .closed) {
        let drainers = state.withLock { state in
            if state.end == nil { state.end = end }
            defer { state.drainers = [] }
            return state.drainers
        }
        for drainer in drainers { drainer.resume() }
        tellOfEnd()
    }

    /// Makes the peer stop to read, or read again.
    public func setCongested(_ isCongested: Bool) {
        let drainers = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.isCongested = isCongested
            guard !isCongested else { return [] }
            defer { state.drainers = [] }
            return state.drainers
        }
        for drainer in drainers { drainer.resume() }
    }

    private func tellOfEnd() {
        delivering.withLock { _ in
            let (receiver, end) = state.withLock { state -> ((any MessageReceiver)?, ConnectionEnd?) in
                guard !state.hasEnded, let receiver = state.receiver else { return (nil, nil) }
                state.hasEnded = true
                state.receiver = nil
                return (receiver, state.end)
            }
            if let end { receiver?.connectionEnded(end) }
        }
    }

    // MARK: MessagePassingProtocol

    /// Whether the test says so.
    public var isCongested: Bool { state.withLock { $0.isCongested && $0.end == nil } }

    /// Starts delivery.
    public func start(delivering receiver: any MessageReceiver) {
        let hasEnd = state.withLock { state in
            state.receiver = receiver
            return state.end != nil
        }
        if hasEnd { Task.detached { self.tellOfEnd() } }
    }

    /// Records a message.
    public func send(_ message: [UInt8]) {
        state.withLock { state in
            if state.end == nil { state.sent.append(message) }
        }
    }

    /// Waits until the test says that it is not congested.
    public func drain() async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isCongested || state.end != nil { return true }
                state.drainers.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// Stops or restarts delivery.
    public func setDelivering(_ isDelivering: Bool) {
        let backlog = state.withLock { state in
            state.isDelivering = isDelivering
            guard isDelivering else { return [[UInt8]]() }
            defer { state.backlog = [] }
            return state.backlog
        }
        // Never from within a call: the caller may hold a lock.
        if !backlog.isEmpty { Task.detached { for message in backlog { self.deliver(message) } } }
    }

    /// Ends it; the receiver hears of it from another thread.
    public func close(_ end: ConnectionEnd) {
        let drainers = state.withLock { state in
            if state.end == nil { state.end = end }
            defer { state.drainers = [] }
            return state.drainers
        }
        for drainer in drainers { drainer.resume() }
        Task.detached { self.tellOfEnd() }
    }
}
