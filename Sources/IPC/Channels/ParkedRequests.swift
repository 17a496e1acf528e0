// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Requests for channels that are not registered yet, each with a deadline (PROTOCOL 3.6). Sans-I/O: time is passed in.
///
/// Bounded in number and in bytes, which VS Code's are not: it keeps each request with its argument for ever.
struct ParkedRequests<Instant: InstantProtocol> where Instant: Sendable {
    /// A request that waits.
    struct Request {
        var channel: IPCString
        var request: HeldRequests.Request
        var deadline: Instant
    }

    private let limit: Int
    private let byteLimit: Int
    private var byteCount = 0
    /// In the order of arrival, which is the order of deadlines too.
    private var requests: [Request] = []

    init(limit: Int, byteLimit: Int) {
        self.limit = limit
        self.byteLimit = byteLimit
    }

    /// When the first deadline passes.
    var nextDeadline: Instant? { requests.first?.deadline }

    /// Keeps a request; false when there are too many.
    mutating func park(_ request: HeldRequests.Request, for channel: IPCString, until deadline: Instant) -> Bool {
        guard requests.count < limit, byteCount + request.byteCount <= byteLimit else { return false }
        var request = request
        request.isRegistered = true
        requests.append(Request(channel: channel, request: request, deadline: deadline))
        byteCount += request.byteCount
        return true
    }

    /// Takes those that a channel serves which has been registered.
    mutating func take(for channel: IPCString) -> [HeldRequests.Request] {
        let taken = requests.filter { $0.channel == channel }.map(\.request)
        guard !taken.isEmpty else { return [] }
        requests.removeAll { $0.channel == channel }
        byteCount -= taken.reduce(0) { $0 + $1.byteCount }
        return taken
    }

    /// Takes those whose deadline has passed.
    mutating func takeExpired(at now: Instant) -> [Request] {
        let expired = Array(requests.prefix { $0.deadline <= now })
        requests.removeFirst(expired.count)
        byteCount -= expired.reduce(0) { $0 + $1.request.byteCount }
        return expired
    }

    /// Drops a request that its client has withdrawn.
    mutating func drop(_ id: UInt64) {
        let place = requests.firstIndex {
            switch $0.request.message {
            case .call(id, _, _, _), .listen(id, _, _, _): true
            default: false
            }
        }
        if let place { byteCount -= requests.remove(at: place).request.byteCount }
    }

    mutating func removeAll() {
        requests = []
        byteCount = 0
    }
}
