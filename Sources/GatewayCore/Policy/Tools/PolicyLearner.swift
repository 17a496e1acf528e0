// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Learns from audit logs the smallest rules that what they record needed.
///
/// Give it all lines of all files with ``add(_:)``, then ask for ``yaml()`` and ``warnings``.
public struct PolicyLearner {
    /// Why a line is no line of an audit log.
    public struct LineError: Error, CustomStringConvertible {
        /// What is wrong with it.
        public let description: String
    }

    /// Contexts that no entry can have given to one client.
    public struct ConflictError: Error, CustomStringConvertible {
        /// Who got which, and by which lines.
        public let description: String
    }

    private let includesDenied: Bool
    private var clients: [LearnedClient.Key: LearnedClient] = [:]
    private var connections: [String: LearnedConnection] = [:]
    /// Identities of whom it is not known what else their entries went by.
    private var unsure: Set<LearnedClient.Key> = []
    private var number = 0
    private var dropped = 0
    private var hasDropped = false
    private var truncated = 0
    private var denied = 0
    private var unjudged = 0
    private var unnamable = 0
    private var odd: Set<[UInt8]> = []

    /// Makes a learner.
    ///
    /// - Parameter includesDenied: Whether requests that were denied are learned too.
    public init(includesDenied: Bool = false) {
        self.includesDenied = includesDenied
    }

    /// Takes a line, without its line feed.
    ///
    /// - Parameters:
    ///   - text: The line.
    ///   - place: Its file and number, for messages.
    /// - Throws: When it is no line of an audit log of a version that is known.
    public mutating func add(_ text: [UInt8], at place: String = "") throws(LineError) {
        let line: AuditedLine
        do throws(AuditedLine.Failure) {
            line = try AuditedLine(text)
        } catch {
            throw LineError(description: error.description)
        }
        number += 1
        switch line.event {
        case .dropped(let count):
            hasDropped = true
            dropped += count ?? 0
        case .close(let requests):
            connections[line.connection, default: LearnedConnection()].close(requests)
        case .open, .request:
            // Taken out, so that it is changed in place.
            var connection = connections.removeValue(forKey: line.connection) ?? LearnedConnection()
            if case .request(let request) = line.event { connection.count(request) }
            // A name that was cut is another name.
            if line.isTruncated {
                truncated += 1
                if case .open = line.event { connection.isCut = true }
            } else {
                learn(line, &connection, place)
            }
            connections[line.connection] = connection
        case .other:
            break
        }
    }

    private mutating func learn(_ line: AuditedLine, _ connection: inout LearnedConnection, _ place: String) {
        guard let seen = line.client else { return }
        var client = LearnedClient()
        if case .open(let isAssigned) = line.event { client.add(isAssigned: isAssigned) }
        if let context = seen.context {
            let isAssigned = client.isAssigned ?? false
            client.add(.init(context: context, number: number, place: place, isAssigned: isAssigned))
        } else {
            odd.insert(Array(seen.identity.utf8))
        }
        switch line.event {
        case .open:
            var match = seen.match ?? [:]
            // The deciding field has the value that decided, whatever else would have matched.
            match[seen.field] = [Array(seen.identity.utf8)]
            let key = LearnedClient.Key(match)
            if seen.match == nil { unsure.insert(key) }
            if let before = connection.open(key) { client.add(before.client) }
            clients[key, default: LearnedClient()].add(client)
        case .request(let request):
            learn(request, &client)
            if let key = connection.key {
                clients[key, default: LearnedClient()].add(client)
            } else {
                connection.keep(client, of: LearnedClient.Key(seen))
            }
        default:
            break
        }
    }

    private mutating func learn(_ request: AuditedRequest, _ client: inout LearnedClient) {
        switch request.verdict {
        case .allowed: break
        case .denied where includesDenied: break
        case .denied:
            denied += 1
            return
        case .unjudged:
            unjudged += 1
            return
        }
        guard request.right.canBeNamed else {
            unnamable += 1
            return
        }
        client.rights.insert(request.right)
        if let upstream = request.upstream { client.upstreams[Array(upstream.utf8), default: 0] += 1 }
    }

    /// All clients, with those whose connections have no beginning in the log, known by the deciding field alone.
    private var everybody: (clients: [LearnedClient.Key: LearnedClient], unsure: Set<LearnedClient.Key>) {
        var (clients, unsure) = (clients, unsure)
        for connection in connections.values where !connection.isCut {
            guard let kept = connection.kept else { continue }
            clients[kept.key, default: LearnedClient()].add(kept.client)
            unsure.insert(kept.key)
        }
        return (clients, unsure)
    }

    // MARK: What was learned

    /// The sections `roles:` and `clients:` of a configuration; entries and rules are sorted.
    ///
    /// - Throws: When a client was assigned several contexts: an entry assigns one, and which, nobody knows.
    public func yaml() throws(ConflictError) -> String {
        let clients = everybody.clients
        let conflicts = clients.filter { !$0.value.conflicting.isEmpty }.map { key, client in
            let contexts = client.conflicting
            let places = contexts.map(\.place).filter { !$0.isEmpty }.joined(separator: ", ")
            let texts = contexts.map(\.context.text).joined(separator: ", ")
            let start = places.isEmpty ? "" : "\(places): "
            let why =
                client.isAssigned == nil
                ? "no open line says whether the gateway assigned them; give the file with the connections' beginnings too"
                : "an entry assigns one: these lines are of several configurations, or do not say all that the entry asked for"
            return "\(start)\(key.text) has several contexts (\(texts)), and \(why)"
        }
        guard conflicts.isEmpty else { throw ConflictError(description: conflicts.sorted().joined(separator: "\n")) }
        return LearnedPolicy(clients).yaml()
    }

    /// Why the rules may be too few, or the contexts too many, each in a sentence.
    public var warnings: [String] {
        var warnings: [String] = []
        if hasDropped { warnings.append("the gateway dropped \(lines(dropped)): what they recorded is not learned") }
        let missing = connections.values.reduce(0) { $0 + $1.missing }
        if missing > 0 {
            let message =
                "no line: the log is sampled (audit.sample, audit.calls) or incomplete; they are not learned"
            warnings.append("\(missing) \(missing == 1 ? "request has" : "requests have") \(message)")
        }
        let endless = connections.values.count { $0.isOpened && !$0.isClosed }
        if endless > 0 {
            let who = endless == 1 ? "1 connection has" : "\(endless) connections have"
            warnings.append("\(who) no close line: nobody knows whether all of their requests have lines")
        }
        if truncated > 0 { warnings.append("\(lines(truncated)) with a text that was cut: not learned") }
        if denied > 0 {
            warnings.append("\(lines(denied)) of denied requests: not learned; --include-denied learns them")
        }
        if unjudged > 0 {
            warnings.append("\(lines(unjudged)) of requests that no rule has judged (a limit came first): not learned")
        }
        if unnamable > 0 {
            warnings.append(
                "\(lines(unnamable)) with a name that is empty or has more than 4096 bytes: no rule can name it"
            )
        }
        for identity in odd.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let name = LogText.quoted(String(decoding: identity, as: UTF8.self))
            warnings.append("'\(name)' had a context that no entry can name: not learned")
        }
        let (clients, unsure) = everybody
        for name in unsure.map(\.text).sorted() {
            warnings.append(
                "\(name): no open line says what else the entry asked for, so whoever has this matches; look at match:"
            )
        }
        return warnings + LearnedPolicy(clients).warnings
    }

    private func lines(_ count: Int) -> String {
        "\(count) line\(count == 1 ? "" : "s")"
    }
}
