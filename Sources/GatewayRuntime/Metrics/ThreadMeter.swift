// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc

/// What is counted on one thread, in plain numbers that only this thread touches. Who wants to know asks the thread.
final class ThreadMeter {
    /// More names of reasons than there are.
    private static let mostReasons = 256
    /// How many refusals are remembered.
    private static let ringSize = 64
    /// How many refusals are remembered in a second: a flood of them costs no more than a few.
    private static let refusalsPerSecond = 16

    /// What becomes of requests.
    let requests = RequestMeter()

    /// Connections that were accepted, and those that are over, by the listener's place.
    private(set) var accepted: [Int] = []
    private(set) var closed: [Int] = []
    /// How TLS handshakes ended: `full`, `resumed`, or the reason of the connection's end.
    private(set) var handshakes: [String: Int] = [:]
    /// Why connections and sessions ended.
    private(set) var closings: [String: Int] = [:]
    /// Why requests did not pass: `policy`, the name of a limit, `busy`, `no-route`, `unavailable`, `draining`.
    private(set) var denials: [String: Int] = [:]
    /// Sessions that began, and clients that came back to theirs or were lost to them.
    var sessionsBegun = 0
    var sessionsResumed = 0
    var sessionsDetached = 0
    /// Local servers that were reached, by their numbers, and those that could not be, or were lost.
    private(set) var upstreamConnects: [Int] = []
    private(set) var upstreamLosses: [ThreadReport.UpstreamLoss: Int] = [:]

    /// The latest refusals, the oldest at `nextRefusal` once there are enough.
    private var refusals: [Refusal] = []
    private var nextRefusal = 0
    private var refusalSecond: UInt64 = 0
    private var refusalsInSecond = 0
    private(set) var refusalsOmitted = 0

    init(listenerCount: Int) {
        accepted = [Int](repeating: 0, count: listenerCount)
        closed = accepted
    }

    /// Goes on by the names of a newer configuration.
    func adopt(_ names: MeterNames) {
        requests.adopt(names)
        let missing = names.upstreams.count - upstreamConnects.count
        upstreamConnects += [Int](repeating: 0, count: max(0, missing))
    }

    func accepted(at listener: Int) { accepted[listener] += 1 }

    func closed(at listener: Int) { closed[listener] += 1 }

    func handshakeEnded(_ result: String) { Self.count(result, in: &handshakes) }

    func closing(_ reason: CloseReason.Code) { Self.count(reason.rawValue, in: &closings) }

    func upstreamReached(_ name: String) {
        upstreamConnects[requests.number(ofUpstream: name)] += 1
    }

    func upstreamLost(_ name: String, _ reason: CloseReason.Code) {
        let place = requests.number(ofUpstream: name)
        upstreamLosses[ThreadReport.UpstreamLoss(upstream: place, reason: reason.rawValue), default: 0] += 1
    }

    private static func count(_ reason: String, in counts: inout [String: Int]) {
        if counts[reason] == nil, counts.count >= mostReasons {
            counts["other", default: 0] += 1
            return
        }
        counts[reason, default: 0] += 1
    }

    // MARK: Refusals

    /// Counts a request that did not pass.
    ///
    /// - Returns: Whether it is to be remembered.
    func denied(_ cause: GatewaySession.Denial.Cause, at now: UInt64) -> Bool {
        Self.count(cause.name, in: &denials)
        return remembers(at: now)
    }

    /// Whether there is room for one more refusal in this second.
    func remembers(at now: UInt64) -> Bool {
        let second = now / 1_000_000_000
        if second != refusalSecond { (refusalSecond, refusalsInSecond) = (second, 0) }
        refusalsInSecond += 1
        if refusalsInSecond <= Self.refusalsPerSecond { return true }
        refusalsOmitted += 1
        return false
    }

    func remember(_ refusal: Refusal) {
        if refusals.count < Self.ringSize {
            refusals.append(refusal)
        } else {
            refusals[nextRefusal] = refusal
            nextRefusal = (nextRefusal + 1) % Self.ringSize
        }
    }

    /// The latest refusals, the newest last.
    var latestRefusals: [Refusal] { Array(refusals[nextRefusal...] + refusals[..<nextRefusal]) }
}

extension GatewaySession.Denial.Cause {
    /// What metrics call it.
    var name: String {
        switch self {
        case .policy: "policy"
        case .limit(let name): name
        case .busy: "busy"
        case .noRoute: "no-route"
        case .unavailable: "unavailable"
        case .draining: "draining"
        }
    }
}
