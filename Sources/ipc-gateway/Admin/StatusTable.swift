// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol

/// How a gateway is, as lines for a terminal.
struct StatusTable {
    private let value: IPCValue
    private let before: IPCValue?
    private static let mostRefusals = 5
    private static let mostCommands = 8

    /// - Parameters:
    ///   - value: What `/status` says.
    ///   - before: What it said last time, for rates; nil for none.
    init(_ value: IPCValue, before: IPCValue?) {
        self.value = value
        self.before = before
    }

    var lines: [String] {
        var lines = head
        lines.append("")
        lines += sessions
        lines += requests
        lines += upstreams
        lines += threads
        lines += expiries
        lines += commands
        lines += refusals
        return lines
    }

    // MARK: Parts

    private var head: [String] {
        let uptime = Self.time(number("time") - number("startedAt"))
        var title = "ipc-gateway \(text("version")), process \(whole("pid")), up \(uptime)"
        if value["draining"] == .bool(true) { title += ", DRAINING" }
        let age = Self.time(number("time") - number("configuration", "lastSuccess"))
        var lines = [
            title,
            "configuration \(whole("configuration", "generation")) since \(age): \(text("configuration", "file"))",
        ]
        if number("configuration", "failures") > 0 {
            let since = Self.time(number("time") - number("configuration", "lastFailure"))
            lines.append("  \(whole("configuration", "failures")) reloads failed, the last one \(since) ago")
        }
        lines += list("configuration", "problems").prefix(3).compactMap(\.string).map { "  wrong: \($0)" }
        if let readiness = value["readiness"] {
            lines.append("readiness \(readiness["status"]?.string ?? "unknown")")
            for upstream in readiness["upstreams"]?.array ?? [] {
                guard let reason = upstream["reason"]?.string else { continue }
                lines.append("  \(upstream["name"]?.string ?? ""): \(reason)")
            }
        }
        return lines
    }

    private var sessions: [String] {
        var lines = [
            row(
                "sessions",
                "\(whole("sessions", "live")) live",
                "\(whole("sessions", "detached")) away",
                "\(whole("sessions", "newcomers")) newcomers",
                "\(whole("sessions", "resumed")) resumed"
            ),
            row(
                "traffic",
                "in \(Self.size(number("bytes", "received")))\(rate("bytes", "received", Self.size))",
                "out \(Self.size(number("bytes", "sent")))\(rate("bytes", "sent", Self.size))"
            ),
            row(
                "queued",
                "clients \(Self.size(number("queues", "toClients")))",
                "servers \(Self.size(number("queues", "toUpstreams")))",
                "unacknowledged \(Self.size(number("queues", "unacknowledged")))"
            ),
        ]
        lines += list("listeners").map { listener in
            row(
                "listener",
                listener["name"]?.string ?? "",
                "\(Self.whole(listener["open"])) open",
                "\(Self.whole(listener["total"])) in all"
            )
        }
        return lines
    }

    private var requests: [String] {
        let refused = (value["refused"]?.object?.members ?? []).reduce(0) { $0 + ($1.value.double ?? 0) }
        let causes = (value["refused"]?.object?.members ?? []).map { "\($0.key.string ?? "") \(Self.whole($0.value))" }
        var lines = [
            row(
                "calls",
                "\(whole("calls", "total"))\(rate("calls", "total", Self.decimal))",
                "\(whole("calls", "open")) open"
            ),
            row("listens", "\(whole("listens", "total"))", "\(whole("listens", "open")) open"),
        ]
        if refused > 0 { lines.append(row("refused", Self.decimal(refused), causes.joined(separator: ", "))) }
        return lines
    }

    private var upstreams: [String] {
        let bounds = list("latencyBounds").compactMap(\.double)
        return list("upstreams").map { upstream in
            let counts = (upstream["latencies"]?.array ?? []).compactMap(\.double).map { Int($0) }
            let earlier = (before?["upstreams"]?.array ?? []).first { $0["name"] == upstream["name"] }
            let old = (earlier?["latencies"]?.array ?? []).compactMap(\.double).map { Int($0) }
            // With --watch those of the last second, if there were any.
            let recent = old.count == counts.count ? zip(counts, old).map { max(0, $0 - $1) } : counts
            let shown = recent.contains { $0 > 0 } ? recent : counts
            var parts = ["\(Self.whole(upstream["connects"])) connections made"]
            if bounds.count == LatencyBuckets.bounds.count, let median = LatencyBuckets.quantile(0.5, of: shown),
                let tail = LatencyBuckets.quantile(0.99, of: shown)
            {
                parts.append("p50 \(Self.milliseconds(median)), p99 \(Self.milliseconds(tail))")
            }
            let failures = upstream["failures"]?.object?.members ?? []
            parts += failures.map { "\($0.key.string ?? "") \(Self.whole($0.value))" }
            return row("upstream", upstream["name"]?.string ?? "", parts.joined(separator: ", "))
        }
    }

    private var threads: [String] {
        let shares = list("threads").enumerated().map { index, thread -> String in
            guard thread["answers"] == .bool(true) else { return "NO ANSWER" }
            let old = before?["threads"]?.array
            guard let old, index < old.count, let cpu = thread["cpuSeconds"]?.double,
                let cpuBefore = old[index]["cpuSeconds"]?.double, elapsed > 0
            else { return Self.time(thread["cpuSeconds"]?.double ?? 0) }
            return "\(Int(min(100, max(0, (cpu - cpuBefore) / elapsed * 100)).rounded())) %"
        }
        let files = "\(whole("process", "openFiles")) of \(whole("process", "openFilesLimit")) files"
        var lines = [
            row("threads", shares.joined(separator: ", "), files, Self.size(number("process", "residentBytes")))
        ]
        if value["audit"] != nil {
            lines.append(row("audit", "\(whole("audit", "dropped")) dropped", "\(whole("audit", "waiting")) waiting"))
        }
        return lines
    }

    private var expiries: [String] {
        list("expiries").prefix(3).map { expiry in
            let left = (expiry["time"]?.double ?? 0) - number("time")
            let when = left < 0 ? "EXPIRED \(Self.time(-left)) ago" : "in \(Self.time(left))"
            return row("expires", "\(expiry["kind"]?.string ?? "") \(expiry["name"]?.string ?? "")", when)
        }
    }

    private var commands: [String] {
        let busiest = list("calls", "busiest").prefix(Self.mostCommands)
        guard !busiest.isEmpty else { return [] }
        return ["", "busiest commands"]
            + busiest.map { command in
                let name = "\(command["channel"]?.string ?? "").\(command["name"]?.string ?? "")"
                let refused = command["refused"]?.double ?? 0
                let from = command["from"] == .string("server") ? " (from a server)" : ""
                return "  \(Self.padded(name + from, 40)) \(Self.whole(command["total"]))"
                    + (refused > 0 ? ", \(Self.decimal(refused)) refused" : "")
            }
    }

    private var refusals: [String] {
        let latest = list("refusals").prefix(Self.mostRefusals)
        guard !latest.isEmpty else { return [] }
        return ["", "latest refusals"]
            + latest.map { refusal in
                let age = Self.time(number("time") - (refusal["time"]?.double ?? 0))
                let who = refusal["identity"]?.string ?? refusal["peer"]?.string ?? "somebody"
                let channel = refusal["channel"]?.string ?? ""
                let what = channel.isEmpty ? "" : " \(channel).\(refusal["name"]?.string ?? "")"
                let rule = refusal["rule"]?.string.map { " (\($0))" } ?? ""
                return
                    "  \(age) ago: \(who): \(refusal["kind"]?.string ?? "")\(what): \(refusal["cause"]?.string ?? "")\(rule)"
            }
    }

    // MARK: Values

    private func find(_ keys: [IPCString], in value: IPCValue?) -> IPCValue? {
        keys.reduce(value) { $0?[$1] }
    }

    private func text(_ keys: IPCString...) -> String { find(keys, in: value)?.string ?? "" }

    private func number(_ keys: IPCString...) -> Double { find(keys, in: value)?.double ?? 0 }

    private func whole(_ keys: IPCString...) -> String { Self.whole(find(keys, in: value)) }

    private func list(_ keys: IPCString...) -> [IPCValue] { find(keys, in: value)?.array ?? [] }

    private var elapsed: Double { number("time") - (before?["time"]?.double ?? number("time")) }

    /// What was added in a second, such as ` (12/s)`; nothing without an earlier value.
    private func rate(_ group: IPCString, _ key: IPCString, _ show: (Double) -> String) -> String {
        guard let before, elapsed > 0, let now = value[group]?[key]?.double, let old = before[group]?[key]?.double
        else { return "" }
        return " (\(show(max(0, (now - old) / elapsed)))/s)"
    }

    private func row(_ name: String, _ parts: String...) -> String {
        Self.padded(name, 10) + parts.filter { !$0.isEmpty }.joined(separator: "   ")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func whole(_ value: IPCValue?) -> String { value?.double.map(decimal) ?? "?" }

    private static func decimal(_ number: Double) -> String { String(Int(clamped: number)) }

    private static func size(_ bytes: Double) -> String {
        var value = bytes
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 { return unit == "B" ? "\(Int(clamped: value)) B" : "\(oneDigit(value)) \(unit)" }
            value /= 1024
        }
        return "\(oneDigit(value)) TiB"
    }

    private static func oneDigit(_ value: Double) -> String {
        let tenths = Int(clamped: value * 10)
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func milliseconds(_ nanoseconds: Double) -> String { "\(oneDigit(nanoseconds / 1e6)) ms" }

    private static func time(_ seconds: Double) -> String {
        let seconds = max(0, Int(clamped: seconds))
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h"
        default: return "\(seconds / 86_400) days"
        }
    }
}

extension Int {
    /// The number without its fraction; what does not fit is the nearest that does.
    fileprivate init(clamped number: Double) {
        self = number.isNaN ? 0 : Int(Swift.max(-9e15, Swift.min(9e15, number)))
    }
}
