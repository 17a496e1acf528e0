// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What is counted of a session's requests.
extension GatewaySession {
    /// Counts what becomes of requests in a meter from now on.
    public mutating func count(in meter: RequestMeter) {
        self.meter = meter
        meterUpstreams = terms.upstreams.map { Int32(meter.number(ofUpstream: $0.name)) }
    }

    /// How many calls of either side wait for their answer.
    public var openCallCount: Int { clientRequests.callCount + serverRequests.callCount }

    /// How many subscriptions of either side are open.
    public var openListenCount: Int { clientRequests.listenCount + serverRequests.listenCount }

    /// Counts a request that has not passed, or a subscription that has begun.
    mutating func count(_ asked: AskedFor, _ message: Span<UInt8>, _ outcome: AuditRequest.Outcome) {
        guard let meter else { return }
        meter.count(meter.number(of: asked, message), outcome)
    }

    /// Counts the end of a request that had passed.
    mutating func count(_ entry: OpenRequests.Entry, _ outcome: AuditRequest.Outcome) {
        // The others were counted when they were answered.
        guard let meter, entry.state != .deniedCall, entry.state != .answeredCall else { return }
        meter.count(entry.counter, outcome)
    }

    /// Counts the end of a client's call, and how long its server took.
    mutating func countAnswer(_ entry: OpenRequests.Entry, _ outcome: AuditRequest.Outcome, at now: UInt64) {
        guard let meter else { return }
        let upstream = meterUpstreams[entry.upstream]
        meter.count(entry.counter, outcome, after: now &- entry.startedAt, upstream: upstream)
    }
}
