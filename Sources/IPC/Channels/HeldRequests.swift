// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Requests that are not served yet, because the peer does not read its answers or because others are served first.
///
/// Who asks much and reads little would otherwise make answers pile up here. Reading goes on for a while all the same: what
/// comes may be the answers that somebody here waits for.
struct HeldRequests {
    private struct Request {
        var message: DecodedMessage
        var byteCount: Int
        var isRegistered: Bool
    }

    private var requests: [Request?] = []
    private var head = 0
    private var byteCount = 0
    private var isPaused = false
    /// Whether somebody serves what is held. Until that is done everything new queues up behind.
    private(set) var isReleasing = false

    /// Keeps a request; true when somebody must start to serve.
    mutating func append(_ message: DecodedMessage, byteCount: Int) -> Bool {
        requests.append(Request(message: message, byteCount: byteCount, isRegistered: false))
        self.byteCount += byteCount
        defer { isReleasing = true }
        return !isReleasing
    }

    /// Keeps requests that have been registered, and waited for their channel; true when somebody must start to serve.
    mutating func append(released messages: [DecodedMessage]) -> Bool {
        guard !messages.isEmpty else { return false }
        requests += messages.map { Request(message: $0, byteCount: 0, isRegistered: true) }
        defer { isReleasing = true }
        return !isReleasing
    }

    /// The next one to serve; nil when all are served.
    mutating func takeFirst() -> (message: DecodedMessage, isRegistered: Bool)? {
        while head < requests.count {
            defer { head += 1 }
            if let request = requests[head] {
                requests[head] = nil
                byteCount -= request.byteCount
                return (request.message, request.isRegistered)
            }
        }
        requests = []
        head = 0
        isReleasing = false
        return nil
    }

    /// Forgets a request that was not served yet.
    mutating func withdraw(_ id: UInt64) {
        let place = requests.indices.dropFirst(head).first { place in
            switch requests[place]?.message {
            case .call(id, _, _, _), .listen(id, _, _, _): true
            default: false
            }
        }
        guard let place, let request = requests[place] else { return }
        byteCount -= request.byteCount
        requests[place] = nil
    }

    /// Whether reading must stop now: true once, when more is held than allowed.
    mutating func mustPause(beyond limit: Int) -> Bool {
        guard byteCount > limit, !isPaused else { return false }
        isPaused = true
        return true
    }

    /// Whether reading may go on: true once, when little is held again.
    mutating func mayResume(below limit: Int) -> Bool {
        guard isPaused, byteCount <= limit else { return false }
        isPaused = false
        return true
    }

    mutating func removeAll() {
        requests = []
        head = 0
        byteCount = 0
    }
}
