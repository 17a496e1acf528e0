// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A connection of the audit log: whose it is, and whether all of its requests have lines.
///
/// Files may come in any order, so nothing is final before all have been read.
struct LearnedConnection {
    /// Whose it is; nil before its open line.
    private(set) var key: LearnedClient.Key?
    /// What was seen without its open line, and whose it is by the deciding field alone.
    private(set) var kept: (key: LearnedClient.Key, client: LearnedClient)?
    /// Whether its open line was cut, so that nobody knows whose it is.
    var isCut = false
    /// Whether it has a close line.
    private(set) var isClosed = false

    private var requests: Int?
    private var seen = 0
    /// The first and the second lines of listens.
    private var listens: [LearnedRight: (begun: Int, ended: Int)] = [:]

    /// Whether it has an open line that can be used.
    var isOpened: Bool { key != nil }

    /// Takes the open line.
    ///
    /// - Returns: What was seen before it.
    mutating func open(_ key: LearnedClient.Key) -> (key: LearnedClient.Key, client: LearnedClient)? {
        self.key = key
        defer { kept = nil }
        return kept
    }

    mutating func close(_ requests: Int?) {
        isClosed = true
        self.requests = requests
    }

    /// Keeps what a request says until there is an open line.
    mutating func keep(_ client: LearnedClient, of key: LearnedClient.Key) {
        var known = kept?.client ?? LearnedClient()
        kept = nil
        known.add(client)
        kept = (key, known)
    }

    /// Counts a line.
    mutating func count(_ request: AuditedRequest) {
        switch request.phase {
        case .whole: seen += 1
        case .begun: listens[request.right, default: (0, 0)].begun += 1
        case .ended: listens[request.right, default: (0, 0)].ended += 1
        }
    }

    /// How many of its requests have no line.
    var missing: Int {
        guard isOpened, let requests else { return 0 }
        // One that was lost at once has no first line.
        return max(0, requests - seen - listens.values.reduce(0) { $0 + max($1.begun, $1.ended) })
    }
}
