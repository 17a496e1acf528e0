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

    private struct Connection {
        var seen = 0
        var isOpened = false
    }

    private let includesDenied: Bool
    private var clients: [LearnedClient.Key: LearnedClient] = [:]
    private var connections: [String: Connection] = [:]
    private var dropped = 0
    private var hasDropped = false
    private var truncated = 0
    private var denied = 0
    private var missing = 0
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
    /// - Throws: When it is no line of an audit log of a version that is known.
    public mutating func add(_ text: [UInt8]) throws(LineError) {
        let line: AuditedLine
        do throws(AuditedLine.Failure) {
            line = try AuditedLine(text)
        } catch {
            throw LineError(description: error.description)
        }
        switch line.event {
        case .dropped(let count):
            hasDropped = true
            dropped += count ?? 0
        case .close(let requests):
            let connection = connections.removeValue(forKey: line.connection)
            if let requests, let connection, connection.isOpened { missing += max(0, requests - connection.seen) }
        case .open, .request:
            // A name that was cut is another name.
            if line.isTruncated { truncated += 1 } else { learn(line) }
            count(line)
        case .other:
            break
        }
    }

    private mutating func count(_ line: AuditedLine) {
        switch line.event {
        case .open: connections[line.connection, default: Connection()].isOpened = true
        case .request(let request) where !request.isRepeated: connections[line.connection]?.seen += 1
        default: break
        }
    }

    private mutating func learn(_ line: AuditedLine) {
        guard let seen = line.client else { return }
        let key = LearnedClient.Key(field: seen.field, identity: Array(seen.identity.utf8))
        var client = clients[key] ?? LearnedClient()
        defer { clients[key] = client }
        if let context = seen.context { client.add(context) } else { odd.insert(key.identity) }
        switch line.event {
        case .open(let isAssigned):
            client.isAssigned = (client.isAssigned ?? true) && isAssigned
        case .request(let request):
            guard !request.isDenied || includesDenied else {
                denied += 1
                return
            }
            guard request.right.canBeNamed else {
                unnamable += 1
                return
            }
            client.rights.insert(request.right)
            if let upstream = request.upstream { client.upstreams[Array(upstream.utf8), default: 0] += 1 }
        default:
            break
        }
    }

    // MARK: What was learned

    /// The sections `roles:` and `clients:` of a configuration; entries and rules are sorted.
    public func yaml() -> String {
        LearnedPolicy(clients).yaml()
    }

    /// Why the rules may be too few, or the contexts too many, each in a sentence.
    public var warnings: [String] {
        var warnings: [String] = []
        if hasDropped { warnings.append("the gateway dropped \(lines(dropped)): what they recorded is not learned") }
        if missing > 0 {
            let message =
                "have no line: the log is sampled (audit.sample, audit.calls) or incomplete; they are not learned"
            warnings.append("\(missing) request\(missing == 1 ? "" : "s") \(message)")
        }
        if truncated > 0 { warnings.append("\(lines(truncated)) with a text that was cut: not learned") }
        if denied > 0 {
            warnings.append("\(lines(denied)) of denied requests: not learned; --include-denied learns them")
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
        return warnings + LearnedPolicy(clients).warnings
    }

    private func lines(_ count: Int) -> String {
        "\(count) line\(count == 1 ? "" : "s")"
    }
}
