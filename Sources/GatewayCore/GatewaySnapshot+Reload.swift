// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// One snapshot after another.
extension GatewaySnapshot {
    /// The TLS side of a listener, by its place in ``listeners``; nil for a Unix socket.
    public func tlsContext(of listener: Int) -> TLSContext? {
        guard listeners.indices.contains(listener), case .tcp(_, let context) = listeners[listener] else { return nil }
        return context
    }

    /// Whether connections from an address must begin with a header of the PROXY protocol.
    public func isProxy(_ host: String, at listener: Int) -> Bool {
        let proxies =
            configuration.listeners.indices.contains(listener) ? configuration.listeners[listener].proxies : []
        guard !proxies.isEmpty, let address = IPAddress(host) else { return false }
        return proxies.contains { $0.contains(address) }
    }

    /// What cannot take the place of another snapshot in a running gateway: sockets, threads, the sandbox, the name among
    /// peers, the endpoint for operators and the audit log's destination are made once.
    ///
    /// - Returns: A problem for each such key that differs; nothing when the snapshot can take the other's place.
    public func problems(replacing old: GatewaySnapshot) -> [ConfigurationProblem] {
        let new = configuration
        let old = old.configuration
        var problems: [ConfigurationProblem] = []
        func differs(_ path: String, line: Int? = nil, _ what: String) {
            let message = "\(what) cannot change while the gateway runs; restart it to change it"
            problems.append(ConfigurationProblem(file: new.file, line: line, path: path, message: message))
        }
        func same(_ text: String?, _ other: String?) -> Bool {
            text.map { Array($0.utf8) } == other.map { Array($0.utf8) }
        }
        if new.listeners.count == old.listeners.count {
            for (index, (listener, other)) in zip(new.listeners, old.listeners).enumerated() {
                let path = "listeners[\(index)]"
                switch (listener.place, other.place) {
                case (.tcp(let address, _), .tcp(let before, _)):
                    if address != before { differs("\(path).address", line: listener.line, "an address") }
                case (.unix(let socket), .unix(let before)):
                    if !socket.path.utf8.elementsEqual(before.path.utf8) {
                        differs("\(path).unix", line: listener.line, "the path of a socket")
                    }
                    if socket.mode != before.mode { differs("\(path).mode", line: listener.line, "a mode") }
                default:
                    differs(path, line: listener.line, "the kind of a listener")
                }
                if listener.isForPeers != other.isForPeers { differs("\(path).for", line: listener.line, "this") }
                if listener.inherited.map({ Array($0.utf8) }) != other.inherited.map({ Array($0.utf8) }) {
                    differs(path, line: listener.line, "which socket of systemd's a listener takes")
                }
                if listener.isShared != other.isShared { differs("\(path).shared", line: listener.line, "this") }
                if listener.limits != other.limits { differs("\(path).limits", line: listener.line, "this") }
            }
        } else {
            differs("listeners", "the number of listeners (\(old.listeners.count))")
        }
        if new.peers?.name != old.peers?.name || (new.peers == nil) != (old.peers == nil) {
            differs("peers.name", line: new.peers?.line, "the gateway's name among its peers")
        }
        if new.sandbox != old.sandbox { differs("sandbox", "the sandbox") }
        if !same(new.user, old.user) { differs("user", "the user") }
        if !same(new.group, old.group) { differs("group", "the group") }
        if new.threads != old.threads { differs("threads", "the number of threads") }
        switch (new.admin, old.admin) {
        case (let admin?, let before?):
            if !new.resolve(admin.unix).utf8.elementsEqual(old.resolve(before.unix).utf8) {
                differs("admin.unix", "the path of a socket")
            }
            if admin.address != before.address { differs("admin.address", "an address") }
            if admin.isControlledByAddress != before.isControlledByAddress { differs("admin.control", "this") }
        case (nil, nil): break
        default: differs("admin", "whether there is an endpoint for operators")
        }
        switch (new.audit, old.audit) {
        case (let audit?, let before?):
            if audit.destination != before.destination { differs("audit", "where the audit log goes") }
            if audit.queueLines != before.queueLines { differs("audit.queue", "this") }
        case (nil, nil): break
        default: differs("audit", "whether there is an audit log")
        }
        return problems
    }
}
