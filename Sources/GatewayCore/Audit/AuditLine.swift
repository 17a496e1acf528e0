// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import TLSEngine

/// Lines of the audit log: one JSON object each, with a line feed at the end (docs/audit.md has the schema).
///
/// Times are the reactor's, monotonic nanoseconds; `wallClockOffset` is what to add to get nanoseconds since 1970.
public enum AuditLine {
    /// The version of the schema, the member `v`. Members may be added under the same one; see docs/audit.md.
    public static let version = 1

    /// A connection's context has been accepted.
    public static func open(_ connection: AuditConnection, at time: UInt64, wallClockOffset: Int64) -> [UInt8] {
        var text = start("open", time, wallClockOffset, capacity: connection.common.count + 512)
        text.append(connection.common)
        text.member(.peer, connection.peer)
        text.member(.proxy, connection.proxy)
        text.member(.listener, connection.listener)
        text.member(.entry, connection.entry)
        text.member(.match, fields: connection.match)
        text.member(.contextAssigned, connection.isContextAssigned)
        text.member(.tls, connection.tlsVersion)
        text.member(.cipher, connection.cipher)
        text.member(.subject, connection.subject)
        text.member(.fingerprint, connection.fingerprint)
        return end(&text, connection)
    }

    /// A connection has ended.
    public static func close(_ connection: AuditConnection, _ close: AuditClose, wallClockOffset: Int64) -> [UInt8] {
        var text = start("close", close.closedAt, wallClockOffset, capacity: connection.common.count + 384)
        text.append(connection.common)
        text.member(.peer, connection.peer)
        text.member(.proxy, connection.proxy)
        text.member(.reason, close.reason)
        text.member(.bytesIn, close.bytesIn)
        text.member(.bytesOut, close.bytesOut)
        text.member(.framesIn, close.framesIn)
        text.member(.framesOut, close.framesOut)
        text.member(.calls, close.calls)
        text.member(.denied, close.denied)
        text.member(.strays, close.strays)
        text.milliseconds(from: close.openedAt, to: close.closedAt)
        return end(&text, connection)
    }

    /// A call or a listen.
    ///
    /// - Parameters:
    ///   - request: What it was and what became of it.
    ///   - connection: Whose it was.
    ///   - settings: How arguments are written.
    ///   - wallClockOffset: See ``AuditLine``.
    public static func request(
        _ request: AuditRequest,
        _ connection: AuditConnection,
        _ settings: AuditSettings,
        wallClockOffset: Int64
    ) -> [UInt8] {
        let argumentBytes = request.argument.isEmpty ? 0 : 2 * (settings.arguments ?? 0)
        let names = min(request.channel.count + request.name.count, 2 * AuditText.longestText)
        let capacity = 384 + connection.common.count + names + argumentBytes
        let isCall = request.request == .call
        var text = start(isCall ? "call" : "listen", request.startedAt, wallClockOffset, capacity: capacity)
        text.append(connection.common)
        text.member(.from, request.direction == .fromClient ? "client" : "server")
        text.member(.channel, request.channel.span)
        text.member(isCall ? .command : .event, request.name.span)
        if let bound = settings.arguments, !request.argument.isEmpty {
            let argument = AuditArgument(bound: bound, redact: settings.redact)
            text.member(.argument, raw: argument.render(request.argument.span))
        }
        text.member(.upstream, request.upstream)
        text.member(.outcome, request.outcome.rawValue)
        text.member(.rule, request.rule)
        text.member(.requestBytes, request.requestBytes)
        text.member(.answerBytes, request.answerBytes)
        if !isCall { text.member(.events, request.events) }
        if request.repeats > 0 { text.member(.repeats, request.repeats) }
        text.milliseconds(from: request.startedAt, to: request.endedAt)
        if let shadow = request.shadow {
            var inner = AuditText(capacity: 64)
            inner.member(.allowed, shadow.isAllowed)
            inner.member(.rule, shadow.rule)
            text.member(.shadow, object: inner)
        }
        return end(&text, connection)
    }

    /// Lines before this one have been dropped.
    public static func dropped(_ count: Int, at time: UInt64, wallClockOffset: Int64) -> [UInt8] {
        var text = start("dropped", time, wallClockOffset, capacity: 96)
        text.member(.count, count)
        text.append("}\n")
        return text.bytes
    }

    static func start(
        _ type: String,
        _ time: UInt64,
        _ wallClockOffset: Int64,
        capacity: Int
    ) -> AuditText {
        var text = AuditText(capacity: capacity)
        text.append("{\"v\":1")
        text.member(.type, type)
        text.member(.time, nanoseconds: Int64(clamping: time) &+ wallClockOffset)
        return text
    }

    static func end(_ text: inout AuditText, _ connection: AuditConnection) -> [UInt8] {
        if text.isCut || connection.isCommonCut { text.member(.truncated, true) }
        text.append("}\n")
        return text.bytes
    }
}
