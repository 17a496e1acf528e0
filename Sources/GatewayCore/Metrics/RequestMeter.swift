// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Counts what becomes of the requests of one thread's sessions.
///
/// Plain numbers: counting costs no lock, no atomic operation and no allocation. Unchecked, because a meter and the
/// sessions that count in it belong to one thread; whoever else wants to know asks that thread.
public final class RequestMeter: @unchecked Sendable {
    /// What has been counted.
    public struct Figures: Sendable {
        /// What the counters are about.
        public var names = MeterNames()
        /// How many requests ended how: ``AuditRequest/Outcome``s of the first name, then of the second, and so on.
        public var counts: [Int] = []
        /// How many calls took how long: buckets of the first local server, then of the second, and so on.
        public var latencies: [Int] = []
        /// How long the calls of each local server took together, in nanoseconds.
        public var latencySums: [UInt64] = []

        /// Nothing.
        public init() {}
    }

    /// All numbers in one array, so that counting an answer is one access to it: first how requests ended, then for each
    /// local server its buckets, and the sum of its times in nanoseconds.
    private struct Cells {
        var numbers: [Int]
        var firstLatency: Int

        mutating func add(_ outcome: Int) {
            numbers[outcome] &+= 1
        }

        mutating func add(_ outcome: Int, bucket: Int, sum: Int, _ nanoseconds: Int) {
            numbers[outcome] &+= 1
            numbers[firstLatency + bucket] &+= 1
            numbers[firstLatency + sum] &+= nanoseconds
        }
    }

    private static let stride = LatencyBuckets.count + 1

    private var names: MeterNames
    private var cells: Cells
    private let bounds = LatencyBuckets.bounds

    /// Starts at zero.
    public init(_ names: MeterNames = MeterNames()) {
        self.names = names
        cells = Self.makeCells(names)
    }

    private static func makeCells(_ names: MeterNames) -> Cells {
        let first = names.requests.names.count * AuditRequest.Outcome.count
        let count = first + names.upstreams.count * stride
        return Cells(numbers: [Int](repeating: 0, count: count), firstLatency: first)
    }

    /// What has been counted so far.
    public var figures: Figures {
        var figures = Figures()
        figures.names = names
        figures.counts = Array(cells.numbers[..<cells.firstLatency])
        for upstream in names.upstreams.indices {
            let start = cells.firstLatency + upstream * Self.stride
            figures.latencies += cells.numbers[start..<start + LatencyBuckets.count]
            figures.latencySums.append(UInt64(clamping: cells.numbers[start + LatencyBuckets.count]))
        }
        return figures
    }

    /// The number of a local server; 0 for one that has none of its own.
    public func number(ofUpstream name: String) -> Int { names.number(ofUpstream: name) }

    /// Goes on by names that begin with those that it has.
    public func adopt(_ names: MeterNames) {
        var grown = Self.makeCells(names)
        grown.numbers.replaceSubrange(0..<cells.firstLatency, with: cells.numbers[..<cells.firstLatency])
        let latencies = cells.numbers[cells.firstLatency...]
        let range = grown.firstLatency..<grown.firstLatency + latencies.count
        grown.numbers.replaceSubrange(range, with: latencies)
        self.names = names
        cells = grown
    }

    /// The number of the name that a request of a message is counted by.
    func number(of asked: AskedFor, _ message: Span<UInt8>) -> Int32 {
        names.requests.number(
            asked.request,
            asked.direction,
            channel: message.extracting(asked.channel),
            name: message.extracting(asked.name),
            asked.hashes
        )
    }

    /// Counts an end.
    func count(_ name: Int32, _ outcome: AuditRequest.Outcome) {
        cells.add(Int(name) * AuditRequest.Outcome.count + outcome.number)
    }

    /// Counts an answer, and how long it took.
    func count(_ name: Int32, _ outcome: AuditRequest.Outcome, after nanoseconds: UInt64, upstream: Int32) {
        var bucket = 0
        while bucket < bounds.count, bounds[bucket] < nanoseconds { bucket += 1 }
        let place = Int(upstream) * Self.stride
        cells.add(
            Int(name) * AuditRequest.Outcome.count + outcome.number,
            bucket: place + bucket,
            sum: place + LatencyBuckets.count,
            Int(truncatingIfNeeded: nanoseconds)
        )
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
