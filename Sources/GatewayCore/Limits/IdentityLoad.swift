// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// What the connections of one identity use up together, on whatever thread they are.
///
/// Its methods may be called from any thread.
public final class IdentityLoad: Sendable {
    /// The bounds.
    public let limits: ClientLimits.Shared
    /// What its sessions use up that outlive their connections.
    public let sessions = SessionLoad()

    private let clients = Atomic<Int>(0)
    private let calls = Atomic<Int>(0)
    private let callRate: SharedTokenBucket?
    private let inboundRate: SharedTokenBucket?
    private let outboundRate: SharedTokenBucket?

    /// Starts with nothing used up.
    public init(limits: ClientLimits.Shared) {
        self.limits = limits
        callRate = limits.callsPerSecond.map(SharedTokenBucket.init(perSecond:))
        inboundRate = limits.bytesPerSecond.map(SharedTokenBucket.init(perSecond:))
        outboundRate = limits.bytesPerSecond.map(SharedTokenBucket.init(perSecond:))
    }

    /// Counts one connection more, if there is room.
    public func addClient() -> Bool {
        guard clients.add(1, ordering: .relaxed).newValue <= limits.clients else {
            removeClient()
            return false
        }
        return true
    }

    /// Counts a connection that another load has counted so far, whether there is room or not.
    ///
    /// - Parameters:
    ///   - session: Its session, which shares this load from now on.
    ///   - isDetached: Whether it waits for its client.
    ///   - heldBytes: How many bytes it keeps for it.
    ///   - other: What has counted it so far.
    public func takeOver(
        _ session: inout GatewaySession,
        isDetached: Bool,
        heldBytes: Int,
        from other: IdentityLoad
    ) {
        let count = session.sharedCallCount
        clients.add(1, ordering: .relaxed)
        if limits.callsOutstanding != nil { calls.add(count, ordering: .relaxed) }
        if isDetached { _ = sessions.add(limit: .max) }
        sessions.addBytes(heldBytes)
        session.share(self)
        other.removeClient()
        other.removeCalls(count)
        if isDetached { other.sessions.remove() }
        other.sessions.addBytes(-heldBytes)
    }

    /// Counts one connection less.
    public func removeClient() {
        clients.subtract(1, ordering: .relaxed)
    }

    /// Whether nobody would notice if this were forgotten.
    public func isIdle(at now: UInt64) -> Bool {
        clients.load(ordering: .relaxed) == 0
            && ![callRate, inboundRate, outboundRate].contains { $0?.isInUse(at: now) == true }
    }

    /// Counts an open call, if there is room.
    func addCall() -> Bool {
        guard let limit = limits.callsOutstanding else { return true }
        guard calls.add(1, ordering: .relaxed).newValue <= limit else {
            removeCalls(1)
            return false
        }
        return true
    }

    /// Counts open calls less.
    func removeCalls(_ count: Int) {
        guard limits.callsOutstanding != nil, count > 0 else { return }
        calls.subtract(count, ordering: .relaxed)
    }

    /// Takes a call out of the rate.
    func takeCall(at now: UInt64) -> Bool {
        callRate?.take(1, at: now) ?? true
    }

    /// Takes bytes out of a direction's rate, on credit.
    ///
    /// - Returns: Until when nothing more should be taken.
    public func charge(_ count: Int, isInbound: Bool, at now: UInt64) -> UInt64 {
        (isInbound ? inboundRate : outboundRate)?.charge(count, at: now) ?? 0
    }
}
