// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Requests that are not served yet, because the peer does not read its answers or because others are served first.
///
/// Who asks much and reads little would otherwise make answers pile up here. Reading goes on for a while all the same: what
/// comes may be the answers that somebody here waits for.
struct HeldRequests {
    /// A request on its way to its handler.
    struct Request {
        var message: DecodedMessage
        var byteCount: Int
        /// Whether it was registered when it came, and has waited for its channel since.
        var isRegistered = false
    }

    /// What is to be done next.
    enum Next {
        case serve(Request)
        /// A call that was cancelled while it was held: it is answered, not run.
        case answerCancelled(UInt64)
        case nothing
    }

    private enum Place {
        case request(Request)
        case cancelledCall(UInt64)
        case empty
    }

    /// What a place is counted with beyond the bytes of its message, used or not: small requests must not be for free.
    static let placeBytes = 128

    private var places: [Place] = []
    private var head = 0
    /// Where the newest request of an id is; the number of a place does not change when those before it are removed.
    private var numbers: [UInt64: Int] = [:]
    private var removedCount = 0
    private var byteCount = 0
    private var isPaused = false
    /// Whether somebody serves what is held. Until that is done everything new queues up behind.
    private(set) var isReleasing = false

    /// Keeps a request; true when somebody must start to serve.
    mutating func append(_ request: Request) -> Bool {
        if let id = Self.id(of: request.message) { numbers[id] = removedCount + places.count }
        places.append(.request(request))
        byteCount += request.byteCount + Self.placeBytes
        defer { isReleasing = true }
        return !isReleasing
    }

    /// Keeps requests that have waited for their channel; true when somebody must start to serve.
    mutating func append(released requests: [Request]) -> Bool {
        var mustStart = false
        for request in requests where append(request) { mustStart = true }
        return mustStart
    }

    /// Takes what is to be done next. After ``Next/nothing`` nobody serves any more.
    mutating func takeNext() -> Next {
        while head < places.count {
            let place = places[head]
            places[head] = .empty
            head += 1
            byteCount -= Self.placeBytes
            removeTaken()
            switch place {
            case .request(let request):
                if let id = Self.id(of: request.message), numbers[id] == removedCount + head - 1 { numbers[id] = nil }
                byteCount -= request.byteCount
                return .serve(request)
            case .cancelledCall(let id):
                return .answerCancelled(id)
            case .empty:
                continue
            }
        }
        isReleasing = false
        return .nothing
    }

    /// Forgets a request that was not served yet: its client has withdrawn it.
    mutating func withdraw(_ id: UInt64) {
        guard let number = numbers.removeValue(forKey: id) else { return }
        guard case .request(let request) = places[number - removedCount], !request.isRegistered else { return }
        byteCount -= request.byteCount
        if case .call = request.message {
            places[number - removedCount] = .cancelledCall(id)
        } else {
            places[number - removedCount] = .empty
        }
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
        places = []
        head = 0
        numbers = [:]
        byteCount = 0
    }

    /// Gives the room of what was taken back, now and then: who is served slowly may never be served wholly.
    private mutating func removeTaken() {
        guard head == places.count || (head >= 256 && head > places.count / 2) else { return }
        places.removeFirst(head)
        removedCount += head
        head = 0
    }

    private static func id(of message: DecodedMessage) -> UInt64? {
        switch message {
        case .call(let id, _, _, _), .listen(let id, _, _, _): id
        default: nil
        }
    }
}
