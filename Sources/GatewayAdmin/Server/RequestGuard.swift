// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore

/// Who may ask what, by what a request says of where it comes from. Nobody proves who he is here: at the Unix socket the
/// file's mode has let him in, at the loopback address an account on the machine.
///
/// What is feared is a browser on that machine, which every web site can make send requests: by a name that leads to
/// 127.0.0.1 (DNS rebinding), or simply across sites.
struct RequestGuard: Sendable {
    /// Where the request came in.
    enum Place: Sendable {
        case unix
        /// The loopback address, and whether everything may be asked there.
        case loopback(isControlled: Bool)
    }

    /// Why a request is refused.
    struct Refusal: Equatable {
        var status: Int
        var reason: String
    }

    /// What counts of a request.
    struct Asked {
        var method: String
        /// Without the query.
        var path: String
        var host: String?
        var origin: String?
        /// The header `Sec-Fetch-Site`, which browsers set and pages cannot.
        var fetchSite: String?
    }

    let place: Place

    /// Why not; nil when the request may be answered.
    func refusal(of asked: Asked) -> Refusal? {
        // A page that is not from here has another name than these.
        if let host = asked.host, !Self.isLocal(host) {
            return Refusal(status: 421, reason: "the Host header names another machine; use localhost")
        }
        if asked.host == nil {
            return Refusal(status: 400, reason: "there is no Host header")
        }
        let isReading = asked.method == "GET" || asked.method == "HEAD"
        if case .loopback(isControlled: false) = place, !(isReading && Self.isHarmless(asked.path)) {
            let reason =
                "only /metrics and /health are to be had at this address; use the Unix socket, or admin.control"
            return Refusal(status: 403, reason: reason)
        }
        if !isReading { return crossSiteRefusal(of: asked) }
        return nil
    }

    private func crossSiteRefusal(of asked: Asked) -> Refusal? {
        if let site = asked.fetchSite, !["same-origin", "none"].contains(site) {
            return Refusal(status: 403, reason: "a page of another site may not do this")
        }
        if let origin = asked.origin, !Self.isOrigin(origin, of: asked.host ?? "") {
            return Refusal(status: 403, reason: "a page of another site may not do this")
        }
        return nil
    }

    private static func isHarmless(_ path: String) -> Bool {
        ["/metrics", "/health/live", "/health/ready"].contains(path)
    }

    private static func isOrigin(_ origin: String, of host: String) -> Bool {
        let prefix = "http://"
        return origin.hasPrefix(prefix) && origin.dropFirst(prefix.count).utf8.elementsEqual(host.utf8)
    }

    /// Whether a Host header names this machine, by a name that no name server can make lead elsewhere.
    static func isLocal(_ header: String) -> Bool {
        guard !header.utf8.contains(UInt8(ascii: "@")) else { return false }
        if header.hasPrefix("["), !header.hasSuffix("]"), !header.contains("]:") { return false }
        // What curl sends for a socket without a host has an empty port at times.
        let text = header.hasSuffix(":") ? String(header.dropLast()) : header
        guard let place = HostAndPort(text) else { return false }
        let name = place.host.lowercased()
        if name == "localhost" || name == "localhost." { return true }
        return ListenerAddress.isLoopback(literal: name)
    }
}
