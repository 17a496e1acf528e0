// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayRuntime
internal import IPCProtocol

/// What `/sessions` says.
enum SessionsPage {
    /// How many sessions a page has at most, and by default.
    static let most = 1000
    static let usual = 100

    /// A page.
    ///
    /// - Parameters:
    ///   - answers: What each thread has found; nil where it did not answer.
    ///   - count: How many sessions the page has at most.
    ///   - now: The time in nanoseconds since 1970.
    static func value(_ answers: [Answer?], count: Int, now: Int64) -> IPCValue {
        let found = answers.compactMap(\.self).flatMap(\.sessions).sorted { $0.id < $1.id }
        let page = found.prefix(count)
        let total = answers.reduce(0) { $0 + ($1?.matching ?? 0) }
        var members: [(String, IPCValue)] = [
            ("matching", IPCValue(total)), ("sessions", .array(page.map { value(of: $0, now) })),
        ]
        // Each thread gives a page's worth of its own.
        if found.count > count, let last = page.last { members.append(("next", IPCValue(last.id))) }
        let missing = answers.indices.filter { answers[$0] == nil }
        if !missing.isEmpty { members.append(("threadsWithoutAnswer", .array(missing.map { IPCValue($0) }))) }
        return .members(members)
    }

    /// What one thread has found.
    struct Answer: Sendable {
        var sessions: [SessionSummary]
        var matching: Int
    }

    private static func value(of session: SessionSummary, _ now: Int64) -> IPCValue {
        .members([
            ("id", IPCValue(session.id)), ("identityField", IPCValue(session.identityField)),
            ("identity", IPCValue(session.identity)), ("context", IPCValue(session.context)),
            ("entry", IPCValue("clients[\(session.entry)]")), ("peer", .text(session.peer)),
            ("listener", IPCValue(session.listener)), ("tls", .text(session.tlsVersion)),
            ("group", .text(session.tlsGroup)), ("since", .seconds(now - Int64(clamping: session.age))),
            ("bytesIn", IPCValue(session.bytesIn)), ("bytesOut", IPCValue(session.bytesOut)),
            ("openCalls", IPCValue(session.openCalls)), ("openListens", IPCValue(session.openListens)),
            ("refused", IPCValue(session.denied)), ("persistent", .bool(session.isPersistent)),
            ("detached", .bool(session.isDetached)), ("resumptions", IPCValue(session.resumptions)),
            ("audit", .text(session.auditID)),
        ])
    }
}
