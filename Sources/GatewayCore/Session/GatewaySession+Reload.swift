// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// A session that goes on by a new configuration.
extension GatewaySession {
    /// What a session has to do to keep to new rules.
    public struct Revision: Sendable, Equatable {
        /// What its client and servers have to be told.
        public var tasks: [Task] = []
        /// How many subscriptions have ended.
        public var endedListens = 0
    }

    /// Goes on by other terms: those that a new configuration has for the same client.
    ///
    /// What it asks from now on is judged by them. Subscriptions that they do not allow end, at the side that sends the
    /// events; calls that are open go on, but are not made again where they would be denied. Bounds on frames and queues
    /// (``SessionTerms/limits``) and how servers are kept stay what they were.
    ///
    /// - Throws: Why the session cannot go on: its client is another, may not have the context, or is led elsewhere.
    public mutating func adopt(_ new: SessionTerms, at now: UInt64) throws(CloseReason) -> Revision {
        guard let context else {
            // Nothing has been asked yet.
            let fresh = GatewaySession(new)
            self = fresh
            return Revision()
        }
        let owner = SessionOwner(terms.resolution, context: context)
        if owner.isAnother(new.resolution) {
            throw CloseReason(.revoked, "the client is '\(LogText.quoted(new.resolution.value))' now")
        }
        guard owner.mayHaveContext(new.resolution, limits: limits.wire) else {
            throw CloseReason(.revoked, "the client may not have the context '\(LogText.quoted(contextText))' any more")
        }
        guard zip(new.upstreams, terms.upstreams).allSatisfy({ $0.isSamePlace(as: $1) }),
            new.upstreams.count == terms.upstreams.count
        else {
            throw CloseReason(.serversChanged, "the client's entry leads to other servers now")
        }
        let changesRate = new.clientLimits.callsPerSecond != terms.clientLimits.callsPerSecond
        let old = terms
        terms = new
        terms.upstreams = old.upstreams
        terms.routes = old.routes
        terms.limits = old.limits
        terms.identityLoad = old.identityLoad
        if changesRate { callRate = new.clientLimits.callsPerSecond.map(TokenBucket.init(perSecond:)) }
        recording = new.recording
        setShadow(announced: IPCMessage.context(context).span, context)
        return judgeOpenRequests(at: now)
    }

    private mutating func judgeOpenRequests(at now: UInt64) -> Revision {
        var revision = Revision()
        for id in clientRequests.ids(where: { !$0.state.isCall }) {
            // One that was too long to be kept cannot be judged, and so may not stay.
            let message = keptListens[id].map(Self.message) ?? clientRequests.message(of: id)
            let upstream = clientRequests[id]?.upstream
            guard mustEnd(message, .fromClient, hasRecord: clientRequests.hasRecord(id), upstream, at: now),
                let listen = endListen(id, .revoked, at: now)
            else { continue }
            revision.endedListens += 1
            guard listen.state == .listen else { continue }
            revision.tasks.append(.tellServer(listen.upstream, Frame.regular(IPCMessage.unlisten(id: id)).encoded()))
        }
        for id in serverRequests.ids(where: { !$0.state.isCall }) {
            let message = serverRequests.message(of: id)
            let upstream = serverRequests[id]?.upstream
            guard mustEnd(message, .fromServer, hasRecord: serverRequests.hasRecord(id), upstream, at: now),
                endServerListen(id, .revoked, at: now)
            else { continue }
            revision.endedListens += 1
            revision.tasks.append(.tellClient(Frame.regular(IPCMessage.unlisten(id: id)).encoded()))
        }
        for id in clientRequests.ids(where: { $0.state == .call || $0.state == .waitingCall }) {
            guard let message = repeatable.frame(of: id).map(Self.message),
                let asked = Self.asked(message, .fromClient, limits),
                !Self.decision(terms.policy, asked, message.span, limits.wire).isAllowed
            else { continue }
            if clientRequests[id]?.state == .waitingCall {
                let answer = ErrorAnswer.frame(id, "AccessDenied", "This client is not allowed the call any more.")
                revision.tasks.append(.tellClient(endWaiting(id, .denied, answer, at: now)))
            } else {
                repeatable.forget(id)
            }
        }
        return revision
    }

    /// Whether a subscription may not stay. If so that is recorded, though its beginning may not have been.
    private mutating func mustEnd(
        _ message: [UInt8]?,
        _ direction: AccessPolicy.Direction,
        hasRecord: Bool,
        _ upstream: Int?,
        at now: UInt64
    ) -> Bool {
        guard let message, let asked = Self.asked(message, direction, limits) else { return true }
        let decision = Self.decision(terms.policy, asked, message.span, limits.wire)
        if decision.isAllowed { return false }
        if recording != nil, !hasRecord {
            var record = makeRecord(asked, message.span, Judgement(decision: decision), upstream, at: now)
            record.outcome = .revoked
            recorded.append(record)
        }
        return true
    }

    private static func message(_ frame: [UInt8]) -> [UInt8] {
        Array(frame.dropFirst(FrameHeader.byteCount))
    }

    /// What a request wants that has passed once.
    private static func asked(
        _ message: [UInt8],
        _ direction: AccessPolicy.Direction,
        _ limits: GatewayLimits
    ) -> AskedFor? {
        guard let inspected = try? InspectedMessage(message.span, limits: limits.wire) else { return nil }
        let request: AccessPolicy.Request
        let parts: (id: UInt64, channel: Range<Int>, name: Range<Int>)
        switch inspected.kind {
        case .call(let id, let channel, let name): (request, parts) = (.call, (id, channel, name))
        case .listen(let id, let channel, let name): (request, parts) = (.listen, (id, channel, name))
        default: return nil
        }
        return AskedFor(
            request,
            direction,
            id: parts.id,
            channel: parts.channel,
            name: parts.name,
            in: message.span,
            bodyOffset: inspected.bodyOffset
        )
    }
}

extension GatewayConfiguration.Upstream {
    /// Whether requests lead to the same place, by the same channels.
    fileprivate func isSamePlace(as other: Self) -> Bool {
        name.utf8.elementsEqual(other.name.utf8) && unix.utf8.elementsEqual(other.unix.utf8)
            && channels == other.channels
    }
}
