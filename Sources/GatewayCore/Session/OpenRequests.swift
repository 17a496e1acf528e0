// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The requests of one side that are open: calls that have not been answered, subscriptions that have not ended.
///
/// Calls and subscriptions share one space of ids, as they do in VS Code. A cancelled call stays open until its answer
/// has come: call and cancel in turn would outrun every limit otherwise.
struct OpenRequests: Sendable {
    /// How far a request has come.
    enum State: UInt8, Sendable {
        /// A call that awaits its answer.
        case call
        /// A call that the requester has cancelled; its answer is passed all the same.
        case cancelledCall
        /// A call that the gateway has answered itself; the answer that may come is dropped.
        case answeredCall
        /// A call that no server gets, and that is answered later.
        case deniedCall
        /// A call whose server was lost with it, and that is made again when it is back.
        case waitingCall
        /// A subscription.
        case listen
        /// A subscription that the server has not been told of yet.
        case waitingListen

        var isCall: Bool { self != .listen && self != .waitingListen }
    }

    /// One open request.
    struct Entry: Sendable {
        var state: State
        /// The server it went to, or came from.
        var upstream: Int
        /// Its id on the server's side.
        var remoteID: UInt64
        /// When the gateway gives up waiting; `UInt64.max` is never.
        var deadline = UInt64.max
        /// The number of the name that it is counted by.
        var counter: Int32 = 0
        /// When it passed.
        var startedAt: UInt64 = 0
    }

    private var entries = RequestTable<Entry>()
    /// What the audit log will say of those requests that it may be told of.
    private var records: [UInt64: OpenRecord] = [:]
    /// The messages of subscriptions, to be judged again by other rules.
    private var messages: [UInt64: [UInt8]] = [:]
    /// How many bytes they have.
    private(set) var messageByteCount = 0
    /// How many calls are open, those included that nobody waits for any more.
    private(set) var callCount = 0
    /// How many subscriptions are open.
    private(set) var listenCount = 0

    /// The request with an id.
    subscript(id: UInt64) -> Entry? { entries[id] }

    var isEmpty: Bool { entries.isEmpty }

    /// The ids of open requests for which something holds, in ascending order.
    func ids(where holds: (Entry) -> Bool) -> [UInt64] {
        entries.all.filter { holds($0.value) }.map(\.id).sorted()
    }

    /// Whether there is an open request for which something holds.
    func contains(where holds: (Entry) -> Bool) -> Bool { entries.all.contains { holds($0.value) } }

    /// Adds a request.
    ///
    /// - Returns: Whether the id was free.
    mutating func open(_ id: UInt64, _ entry: Entry) -> Bool {
        guard entries.insert(id, entry) else { return false }
        if entry.state.isCall { callCount += 1 } else { listenCount += 1 }
        return true
    }

    /// Keeps what the audit log will say of an open request.
    mutating func record(_ id: UInt64, _ record: OpenRecord) {
        records[id] = record
    }

    /// Keeps the message of an open subscription.
    mutating func keep(_ id: UInt64, _ message: [UInt8]) {
        messages[id] = message
        messageByteCount += message.count
    }

    /// The message of a subscription, if it was kept.
    func message(of id: UInt64) -> [UInt8]? { messages[id] }

    /// Whether the audit log may be told of any request. To be asked before what is not there is taken: even a record that
    /// is none takes room.
    var hasRecords: Bool { !records.isEmpty }

    /// Whether the audit log may be told of a request.
    func hasRecord(_ id: UInt64) -> Bool { records[id] != nil }

    /// Counts an event of a subscription.
    mutating func countEvent(_ id: UInt64, byteCount: Int) {
        guard !records.isEmpty, let index = records.index(forKey: id) else { return }
        records.values[index].request.events += 1
        records.values[index].request.answerBytes += byteCount
    }

    /// Counts that a call is made again, or, with -1, that it was not after all.
    mutating func countRepeat(_ id: UInt64, _ count: Int) {
        records[id]?.request.repeats += count
    }

    /// What the audit log may be told of a request that has ended; nil when it is told nothing.
    mutating func takeRecord(_ id: UInt64) -> OpenRecord? {
        records.isEmpty ? nil : records.removeValue(forKey: id)
    }

    /// Forgets a request, of whatever kind.
    mutating func close(_ id: UInt64) {
        guard let entry = entries.remove(id) else { return }
        if entry.state.isCall {
            callCount -= 1
        } else {
            listenCount -= 1
            messageByteCount -= messages.removeValue(forKey: id)?.count ?? 0
        }
    }

    /// Changes how far a request has come, but not from a call to a subscription.
    mutating func update(_ id: UInt64, to state: State) {
        entries.update(id) { $0.state = state }
    }

    /// Takes note of a cancellation.
    ///
    /// - Returns: The call, if it may be cancelled: it is open and nobody has done so before.
    mutating func cancel(_ id: UInt64) -> Entry? {
        guard let entry = entries[id], entry.state == .call else { return nil }
        entries.update(id) { $0.state = .cancelledCall }
        return entry
    }

    /// Takes note of an answer.
    ///
    /// - Parameter upstream: The server that has answered; nil when it does not matter.
    /// - Returns: The call, if there is one that awaits an answer, or awaited one.
    mutating func answer(_ id: UInt64, from upstream: Int? = nil) -> Entry? {
        let isAnswered: (Entry) -> Bool = { $0.state.isCall && (upstream == nil || $0.upstream == upstream) }
        guard let entry = entries.remove(id, where: isAnswered) else { return nil }
        callCount -= 1
        return entry
    }

    /// Ends a subscription.
    ///
    /// - Returns: It, if there is one.
    mutating func unlisten(_ id: UInt64) -> Entry? {
        guard let entry = entries[id], !entry.state.isCall else { return nil }
        close(id)
        return entry
    }
}

/// What the audit log may be told of a request that is open.
struct OpenRecord: Sendable {
    var request: AuditRequest
    /// Whether it is told in any case; otherwise only if the request ends in a way that is always told.
    var isDue: Bool
}
