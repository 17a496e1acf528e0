// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// A request, as it stands in a message that ``InspectedMessage`` has accepted.
struct AskedFor {
    var request: AccessPolicy.Request
    var direction: AccessPolicy.Direction
    var id: UInt64
    /// Where in the message the channel's name is.
    var channel: Range<Int>
    /// Where in it the command's or event's name is.
    var name: Range<Int>
    /// Where in it the argument starts.
    var bodyOffset: Int
    /// Of the two names.
    var hashes: NameHashes

    init(
        _ request: AccessPolicy.Request,
        _ direction: AccessPolicy.Direction,
        id: UInt64,
        channel: Range<Int>,
        name: Range<Int>,
        in message: Span<UInt8>,
        bodyOffset: Int
    ) {
        self.request = request
        self.direction = direction
        self.id = id
        self.channel = channel
        self.name = name
        self.bodyOffset = bodyOffset
        hashes = NameHashes(channel: message.extracting(channel), name: message.extracting(name))
    }
}

/// How requests are judged, denied and recorded.
extension GatewaySession {
    /// What the policy says, and where the shadow policy disagrees, that.
    struct Judgement {
        var decision: AccessPolicy.Decision
        var shadow: AuditRequest.Shadow?
    }

    /// Judges a request of either side by the rules of the client's entry.
    mutating func judge(_ asked: AskedFor, _ message: Span<UInt8>) -> Judgement {
        let decision = Self.decision(terms.policy, asked, message, limits.wire)
        guard let shadow else { return Judgement(decision: decision) }
        let other = Self.decision(shadow, asked, message, limits.wire)
        guard other.isAllowed != decision.isAllowed else { return Judgement(decision: decision) }
        shadowCount += 1
        let rule = other.rule.map { shadow[$0].title }
        return Judgement(decision: decision, shadow: .init(isAllowed: other.isAllowed, rule: rule))
    }

    /// What a policy says. Static, because the session would be copied to be looked at while it changes.
    static func decision(
        _ policy: AccessPolicy,
        _ asked: AskedFor,
        _ message: Span<UInt8>,
        _ limits: IPCLimits
    ) -> AccessPolicy.Decision {
        var candidates = RuleTable.Candidates()
        return policy.judge(
            asked.request,
            asked.direction,
            channel: message.extracting(asked.channel),
            name: message.extracting(asked.name),
            asked.hashes,
            message.extracting(asked.bodyOffset..<message.count),
            limits,
            &candidates
        )
    }

    /// Counts and records a request that does not pass.
    mutating func denied(
        _ asked: AskedFor,
        _ message: Span<UInt8>,
        _ cause: Denial.Cause,
        _ judgement: Judgement?,
        _ upstream: Int? = nil,
        at now: UInt64
    ) -> Denial {
        deniedCount += 1
        count(asked, message, cause.outcome)
        if recording != nil {
            var record = makeRecord(asked, message, judgement, upstream, at: now)
            record.outcome = cause.outcome
            if record.isAlwaysWritten || recording?.takesNext() == true { recorded.append(record) }
        }
        return Denial(
            request: asked.request,
            channel: Self.text(message, asked.channel),
            name: Self.text(message, asked.name),
            rule: cause == .policy ? judgement?.decision.rule : nil,
            cause: cause
        )
    }

    private static func text(_ message: Span<UInt8>, _ range: Range<Int>) -> String {
        let most = 400
        let bytes = [UInt8](copying: message, in: range.lowerBound..<min(range.upperBound, range.lowerBound + most))
        return LogText.quoted(String(decoding: bytes, as: UTF8.self))
    }

    // MARK: Records

    /// What the audit log will say of a request that passes, if it is to say something. Not to be asked without a log: even
    /// a record that is none takes room.
    mutating func recordOfPassing(
        _ asked: AskedFor,
        _ message: Span<UInt8>,
        _ judgement: Judgement,
        _ upstream: Int,
        at now: UInt64
    ) -> OpenRecord? {
        let isDue = recording?.takesNext() == true || judgement.shadow != nil
        // A deadline that passes is told of always.
        guard isDue || judgement.decision.deadline != .max else { return nil }
        var request = makeRecord(asked, message, judgement, upstream, at: now)
        // What waits for its answer is kept; more than so many bytes of arguments are not worth it.
        if openArgumentBytes + request.argument.count > limits.queueBytes { request.argument = Self.leftOut }
        openArgumentBytes += request.argument.count
        return OpenRecord(request: request, isDue: isDue)
    }

    /// Stands for an argument that there was no room to keep.
    private static let leftOut = ValueEncoder.encode(.object(["$unreadable": "room"]))

    func makeRecord(
        _ asked: AskedFor,
        _ message: Span<UInt8>,
        _ judgement: Judgement?,
        _ upstream: Int?,
        at now: UInt64
    ) -> AuditRequest {
        let argumentBytes = min(recording?.argumentBytes ?? 0, message.count - asked.bodyOffset)
        return AuditRequest(
            request: asked.request,
            direction: asked.direction,
            channel: [UInt8](copying: message, in: asked.channel),
            name: [UInt8](copying: message, in: asked.name),
            argument: [UInt8](copying: message, in: asked.bodyOffset..<asked.bodyOffset + argumentBytes),
            upstream: upstream.map { terms.upstreams[$0].name },
            outcome: .open,
            rule: judgement?.decision.rule.map { terms.policy[$0].title },
            startedAt: now,
            endedAt: now,
            requestBytes: FrameHeader.byteCount + message.count,
            answerBytes: 0,
            events: 0,
            shadow: judgement?.shadow
        )
    }

    /// Records the start of a subscription.
    mutating func began(_ record: OpenRecord) {
        if record.isDue { recorded.append(record.request) }
    }

    /// Records the end of a request.
    mutating func ended(_ record: OpenRecord?, _ outcome: AuditRequest.Outcome, _ byteCount: Int = 0, at now: UInt64) {
        guard let record else { return }
        openArgumentBytes -= record.request.argument.count
        var request = record.request
        request.outcome = outcome
        request.endedAt = now
        request.answerBytes += byteCount
        if record.isDue || request.isAlwaysWritten { recorded.append(request) }
    }

    /// Whether there is something to write to the audit log. Mutating as ``nextDeadline`` is, and for the same reason.
    public var hasRecords: Bool {
        mutating get { !recorded.isEmpty }
    }

    /// What there is to write to the audit log.
    public mutating func takeRecords() -> [AuditRequest] {
        guard !recorded.isEmpty else { return [] }
        var taken: [AuditRequest] = []
        swap(&taken, &recorded)
        return taken
    }

    /// Open calls that count against the limits of the client's identity.
    var sharedCallCount: Int {
        clientRequests.ids { $0.state.isCall && $0.state != .deniedCall }.count
    }

    /// Ends the session: what is open is recorded so, and given back to the identity's budget.
    public mutating func close(at now: UInt64) {
        terms.identityLoad?.removeCalls(sharedCallCount)
        for id in clientRequests.ids(where: { _ in true }) {
            if let entry = clientRequests[id] { count(entry, .closed) }
            ended(clientRequests.takeRecord(id), .closed, at: now)
            clientRequests.close(id)
        }
        for id in serverRequests.ids(where: { _ in true }) {
            if let entry = serverRequests[id] { count(entry, .closed) }
            ended(serverRequests.takeRecord(id), .closed, at: now)
            serverRequests.close(id)
        }
    }
}

extension AccessPolicy.Rule {
    /// Its name, or where it is.
    public var title: String { name ?? place }
}
