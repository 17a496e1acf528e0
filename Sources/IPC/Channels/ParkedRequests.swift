// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Requests for channels that are not registered yet, each with a deadline (PROTOCOL 3.6). Sans-I/O: time is passed in.
///
/// Bounded, which VS Code's are not: it keeps each request with its argument for ever.
struct ParkedRequests<Instant: InstantProtocol> where Instant: Sendable {
    /// A request that waits.
    struct Request {
        var channel: IPCString
        var message: DecodedMessage
        var deadline: Instant
    }

    private let limit: Int
    /// In the order of arrival, which is the order of deadlines too.
    private var requests: [Request] = []

    init(limit: Int) {
        self.limit = limit
    }

    /// When the first deadline passes.
    var nextDeadline: Instant? { requests.first?.deadline }

    /// Keeps a request; false when there are too many.
    mutating func park(_ message: DecodedMessage, for channel: IPCString, until deadline: Instant) -> Bool {
        guard requests.count < limit else { return false }
        requests.append(Request(channel: channel, message: message, deadline: deadline))
        return true
    }

    /// Takes those that a channel serves which has been registered.
    mutating func take(for channel: IPCString) -> [DecodedMessage] {
        let taken = requests.filter { $0.channel == channel }.map(\.message)
        if !taken.isEmpty { requests.removeAll { $0.channel == channel } }
        return taken
    }

    /// Takes those whose deadline has passed.
    mutating func takeExpired(at now: Instant) -> [Request] {
        let expired = requests.prefix { $0.deadline <= now }
        requests.removeFirst(expired.count)
        return Array(expired)
    }

    /// Drops a request that its client has withdrawn; false when it is not here.
    mutating func drop(_ id: UInt64) -> Bool {
        let place = requests.firstIndex {
            switch $0.message {
            case .call(id, _, _, _), .listen(id, _, _, _): true
            default: false
            }
        }
        if let place { requests.remove(at: place) }
        return place != nil
    }

    mutating func removeAll() {
        requests = []
    }
}
