// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import TLSEngine

/// What the audit log is told of one connection, once its context has been accepted.
struct ConnectionAudit {
    private let log: AuditLog
    private var settings: AuditSettings
    private var connection: AuditConnection
    private let openedAt: UInt64
    private var closing: CloseReason?
    private var isClosed = false

    /// What the log calls the connection.
    var id: String { connection.id }

    /// Writes the first line.
    ///
    /// - Parameter openedAt: When the connection was accepted from the network.
    init(
        _ log: AuditLog,
        _ settings: AuditSettings,
        _ connection: AuditConnection,
        openedAt: UInt64,
        at now: UInt64
    ) {
        self.log = log
        self.settings = settings
        self.connection = connection
        self.openedAt = openedAt
        log.write(AuditLine.open(connection, at: now, wallClockOffset: AuditLog.wallClockOffset()))
    }

    /// Writes what has become of requests.
    func write(_ requests: [AuditRequest]) {
        guard !requests.isEmpty else { return }
        let offset = AuditLog.wallClockOffset()
        for request in requests {
            log.write(AuditLine.request(request, connection, settings, wallClockOffset: offset))
        }
    }

    /// The client is away, and its session waits.
    func detached(_ reason: CloseReason, at now: UInt64) {
        let code = reason.code.rawValue
        log.write(AuditLine.detach(connection, code, at: now, wallClockOffset: AuditLog.wallClockOffset()))
    }

    /// The client is back.
    func resumed(_ client: ClientLink, peer: String?, proxy: String?, at now: UInt64) {
        let arrival = AuditArrival(
            peer: peer,
            proxy: proxy,
            tlsVersion: client.negotiated?.version.rawValue,
            cipher: client.negotiated?.cipher,
            certificate: client.certificate
        )
        log.write(AuditLine.resume(connection, arrival, at: now, wallClockOffset: AuditLog.wallClockOffset()))
    }

    /// The connection goes on by another configuration.
    mutating func judged(by generation: Int, _ resolution: IdentityMap.Resolution, _ settings: AuditSettings) {
        self.settings = settings
        connection = connection.judged(by: generation, resolution)
    }

    /// Takes note of why the connection ends; the first reason counts.
    mutating func closes(_ reason: CloseReason) {
        closing = closing ?? reason
    }

    /// Writes the last line, once.
    mutating func close(_ bridge: Bridge) {
        let session = bridge.session
        let now = bridge.reactor.now
        guard !isClosed else { return }
        isClosed = true
        let close = AuditClose(
            reason: (closing?.code ?? .finished).rawValue,
            bytesIn: bridge.bytesIn,
            bytesOut: bridge.bytesOut,
            framesIn: session?.framesFromClient ?? 0,
            framesOut: session?.framesFromServer ?? 0,
            calls: session?.requestCount ?? 0,
            denied: session?.deniedCount ?? 0,
            strays: session?.strayCount ?? 0,
            openedAt: openedAt,
            closedAt: now
        )
        log.write(AuditLine.close(connection, close, wallClockOffset: AuditLog.wallClockOffset()))
    }
}
