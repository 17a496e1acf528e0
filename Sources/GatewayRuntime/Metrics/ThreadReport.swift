// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore

/// What one thread has counted since the start, and what it has now.
public struct ThreadReport: Sendable {
    /// Why a local server was lost.
    public struct UpstreamLoss: Sendable, Hashable {
        /// Its number among the names.
        public var upstream: Int
        /// A code of ``CloseReason``.
        public var reason: String
    }

    /// A length, summed up and at its worst.
    public struct Depth: Sendable, Hashable {
        /// All together.
        public var sum = 0
        /// The greatest.
        public var greatest = 0

        mutating func add(_ count: Int) {
            sum += count
            greatest = max(greatest, count)
        }
    }

    /// The thread's number.
    public var thread: Int
    /// How long the question waited for the thread, in nanoseconds.
    public var waited: UInt64 = 0
    /// What the processor has done for the thread, in nanoseconds.
    public var processorTime: UInt64 = 0
    /// Turns of the loop.
    public var turns = 0

    /// What the numbers of requests and upstreams are about.
    public var names = MeterNames()
    /// See ``RequestMeter``.
    public var requestCounts: [Int] = []
    /// See ``RequestMeter``.
    public var latencies: [Int] = []
    /// See ``RequestMeter``.
    public var latencySums: [UInt64] = []

    /// Connections that were accepted, by listener.
    public var accepted: [Int] = []
    /// Those of them that are over.
    public var closed: [Int] = []
    /// How TLS handshakes ended: `full`, `resumed`, or why not.
    public var handshakes: [String: Int] = [:]
    /// Why connections and sessions ended.
    public var closings: [String: Int] = [:]
    /// Why requests did not pass.
    public var denials: [String: Int] = [:]
    /// Bytes from clients, as they came over the network.
    public var bytesIn = 0
    /// Bytes to clients.
    public var bytesOut = 0
    /// Sessions whose context was accepted.
    public var sessionsBegun = 0
    /// Clients that came back to their session.
    public var sessionsResumed = 0
    /// Clients that were lost, and whose session waited for them.
    public var sessionsDetached = 0
    /// Connections to local servers that were made, by the server's number.
    public var upstreamConnects: [Int] = []
    /// Local servers that could not be reached, or were lost.
    public var upstreamLosses: [UpstreamLoss: Int] = [:]
    /// The latest refusals, the newest last.
    public var refusals: [Refusal] = []
    /// Refusals that are not among them because there were too many at a time.
    public var refusalsOmitted = 0

    // What there is now.

    /// Sessions, those included whose client is away.
    public var sessions = 0
    /// Sessions whose client is away.
    public var detached = 0
    /// Connections whose context has not been accepted yet.
    public var newcomers = 0
    /// Calls that wait for their answer.
    public var openCalls = 0
    /// Subscriptions.
    public var openListens = 0
    /// Bytes that wait to be taken by clients.
    public var queuedToClients = Depth()
    /// Bytes that wait to be taken by local servers.
    public var queuedToUpstreams = Depth()
    /// Bytes of messages that clients have not acknowledged.
    public var unacknowledged = Depth()

    init(thread: Int) {
        self.thread = thread
    }

    /// How the requests that are counted by a name have ended.
    ///
    /// - Parameter name: The name's number.
    public func count(_ name: Int, _ outcome: AuditRequest.Outcome) -> Int {
        let index = name * AuditRequest.Outcome.count + outcome.number
        return requestCounts.indices.contains(index) ? requestCounts[index] : 0
    }

    /// The buckets of a local server, as ``LatencyBuckets`` has them.
    public func latencies(ofUpstream number: Int) -> [Int] {
        let range = number * LatencyBuckets.count..<(number + 1) * LatencyBuckets.count
        return range.upperBound <= latencies.count
            ? Array(latencies[range]) : [Int](repeating: 0, count: LatencyBuckets.count)
    }

    /// Adds what another thread has; ``thread``, ``waited``, ``processorTime`` and ``turns`` stay.
    public mutating func add(_ other: ThreadReport) {
        // The newer names begin with the older.
        if other.names.requests.names.count + other.names.upstreams.count
            > names.requests.names.count + names.upstreams.count
        {
            names = other.names
        }
        Self.add(other.requestCounts, to: &requestCounts)
        Self.add(other.latencies, to: &latencies)
        Self.add(other.latencySums, to: &latencySums)
        Self.add(other.accepted, to: &accepted)
        Self.add(other.closed, to: &closed)
        Self.add(other.upstreamConnects, to: &upstreamConnects)
        handshakes.merge(other.handshakes, uniquingKeysWith: +)
        closings.merge(other.closings, uniquingKeysWith: +)
        denials.merge(other.denials, uniquingKeysWith: +)
        upstreamLosses.merge(other.upstreamLosses, uniquingKeysWith: +)
        bytesIn += other.bytesIn
        bytesOut += other.bytesOut
        sessionsBegun += other.sessionsBegun
        sessionsResumed += other.sessionsResumed
        sessionsDetached += other.sessionsDetached
        refusals += other.refusals
        refusalsOmitted += other.refusalsOmitted
        sessions += other.sessions
        detached += other.detached
        newcomers += other.newcomers
        openCalls += other.openCalls
        openListens += other.openListens
        queuedToClients.add(other.queuedToClients)
        queuedToUpstreams.add(other.queuedToUpstreams)
        unacknowledged.add(other.unacknowledged)
    }

    private static func add<Number: FixedWidthInteger>(_ numbers: [Number], to sums: inout [Number]) {
        sums += [Number](repeating: 0, count: max(0, numbers.count - sums.count))
        for (index, number) in numbers.enumerated() { sums[index] += number }
    }
}

extension ThreadReport.Depth {
    fileprivate mutating func add(_ other: Self) {
        sum += other.sum
        greatest = max(greatest, other.greatest)
    }
}
