// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import TLSEngine

/// What is written down about the connection.
extension Bridge {
    /// Says in the log, once, why the connection ends.
    func logClosing(_ reason: CloseReason) {
        log.closed(reason, self)
        audit?.closes(reason)
    }

    /// A proxy has said who its client is: from here on that is the peer, in the log too.
    func comesThroughProxy(_ client: String) {
        peer = client
        log.comesThroughProxy(client, proxyName)
    }

    /// The address of the proxy that the client comes through, where it has said who that is.
    var proxyName: String? { client.proxy.flatMap { $0.client == nil ? nil : "\($0.address)" } }

    func startAudit(_ session: GatewaySession) {
        guard let auditLog = environment.audit, let settings = snapshot.configuration.audit,
            let context = session.context
        else { return }
        let resolution = session.terms.resolution
        let negotiated = client.negotiated
        let certificate = client.certificate
        let connection = AuditConnection(
            id: auditLog.makeConnectionID(),
            peer: peer,
            proxy: proxyName,
            listener: listener.name,
            identityField: resolution.field.rawValue,
            identity: resolution.value,
            match: resolution.match,
            context: context,
            isContextAssigned: resolution.isContextAssigned,
            entry: "clients[\(resolution.entry)]",
            tlsVersion: negotiated?.version.rawValue,
            cipher: negotiated?.cipher,
            fingerprint: certificate?.fingerprint,
            subject: certificate?.subject,
            generation: snapshot.generation
        )
        audit = ConnectionAudit(auditLog, settings, connection, openedAt: acceptedAt, at: reactor.now)
    }

    /// What was received from the client's network, over all of its connections.
    var bytesIn: Int { earlierBytesIn + client.receivedByteCount }

    /// What was sent there.
    var bytesOut: Int { earlierBytesOut + client.sentByteCount }

    /// Somebody has asked for a session and does not get it.
    func auditRefusedResume(_ code: SessionCode, _ resolution: IdentityMap.Resolution) {
        guard let log = environment.audit else { return }
        let arrival = AuditArrival(
            peer: peer,
            proxy: proxyName,
            tlsVersion: client.negotiated?.version.rawValue,
            cipher: client.negotiated?.cipher,
            certificate: client.certificate
        )
        let line = AuditLine.refusedResume(
            code.rawValue,
            of: resolution,
            arrival,
            listener: listener.name,
            at: reactor.now,
            wallClockOffset: AuditLog.wallClockOffset()
        )
        log.write(line)
    }

    /// Writes what has become of requests since the last time.
    func writeRecords() {
        let records = session?.takeRecords() ?? []
        audit?.write(records)
    }

    /// Ends the session, and writes what was open and the last line.
    func endAudit() {
        session?.close(at: reactor.now)
        writeRecords()
        audit?.close(self)
    }
}
