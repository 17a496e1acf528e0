// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Counts what becomes of the requests of one thread's sessions.
///
/// Plain numbers: counting costs no lock, no atomic operation and no allocation. Unchecked, because a meter and the
/// sessions that count in it belong to one thread; whoever else wants to know asks that thread.
public final class RequestMeter: @unchecked Sendable {
    /// What the counters are about.
    public private(set) var names: MeterNames
    /// How many requests ended how: ``AuditRequest/Outcome``s of the first name, then of the second, and so on.
    public private(set) var counts: [Int]
    /// How many calls took how long: buckets of the first local server, then of the second, and so on.
    public private(set) var latencies: [Int]
    /// How long the calls of each local server took together, in nanoseconds.
    public private(set) var latencySums: [UInt64]

    private let bounds = LatencyBuckets.bounds

    /// Starts at zero.
    public init(_ names: MeterNames = MeterNames()) {
        self.names = names
        counts = [Int](repeating: 0, count: names.requests.names.count * AuditRequest.Outcome.count)
        latencies = [Int](repeating: 0, count: names.upstreams.count * LatencyBuckets.count)
        latencySums = [UInt64](repeating: 0, count: names.upstreams.count)
    }

    /// Goes on by names that begin with those that it has.
    public func adopt(_ names: MeterNames) {
        self.names = names
        func grow(_ array: inout [Int], to count: Int) {
            array += [Int](repeating: 0, count: max(0, count - array.count))
        }
        grow(&counts, to: names.requests.names.count * AuditRequest.Outcome.count)
        grow(&latencies, to: names.upstreams.count * LatencyBuckets.count)
        latencySums += [UInt64](repeating: 0, count: max(0, names.upstreams.count - latencySums.count))
    }

    /// The number of the name that a request of a message is counted by.
    func number(of asked: AskedFor, _ message: Span<UInt8>) -> Int32 {
        names.requests.number(
            asked.request,
            asked.direction,
            channel: message.extracting(asked.channel),
            name: message.extracting(asked.name)
        )
    }

    func count(_ name: Int32, _ outcome: AuditRequest.Outcome) {
        counts[Int(name) * AuditRequest.Outcome.count + outcome.number] &+= 1
    }

    func time(_ nanoseconds: UInt64, upstream: Int32) {
        var bucket = 0
        while bucket < bounds.count, bounds[bucket] < nanoseconds { bucket += 1 }
        latencies[Int(upstream) * (bounds.count + 1) + bucket] &+= 1
        latencySums[Int(upstream)] &+= nanoseconds
    }
}

extension AuditRequest.Outcome {
    /// How many there are.
    public static let count = 15

    /// Its place in `allCases`.
    public var number: Int {
        switch self {
        case .ok: 0
        case .error: 1
        case .denied: 2
        case .cancelled: 3
        case .deadline: 4
        case .busy: 5
        case .limit: 6
        case .noRoute: 7
        case .unavailable: 8
        case .draining: 9
        case .lost: 10
        case .open: 11
        case .ended: 12
        case .revoked: 13
        case .closed: 14
        }
    }
}
