// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
public import TLSEngine

/// The connection with which a client comes back to its session, or wants to.
public struct AuditArrival: Sendable {
    /// The client's address and port.
    public var peer: String?
    /// The address and port of the proxy that it comes through.
    public var proxy: String?
    /// The version of TLS.
    public var tlsVersion: String?
    /// The cipher suite.
    public var cipher: String?
    /// The certificate, which may be another than that of the first connection.
    public var certificate: CertificateIdentity?

    /// Describes a connection; see the properties.
    public init(
        peer: String?,
        proxy: String? = nil,
        tlsVersion: String?,
        cipher: String?,
        certificate: CertificateIdentity?
    ) {
        self.peer = peer
        self.proxy = proxy
        self.tlsVersion = tlsVersion
        self.cipher = cipher
        self.certificate = certificate
    }
}

/// Lines about sessions that outlive their connections.
extension AuditLine {
    /// The client of a session has lost its connection; the session waits for it.
    public static func detach(
        _ connection: AuditConnection,
        _ reason: String,
        at time: UInt64,
        wallClockOffset: Int64
    ) -> [UInt8] {
        var text = start("detach", time, wallClockOffset, capacity: connection.common.count + 128)
        text.append(connection.common)
        text.member(.reason, reason)
        return end(&text, connection)
    }

    /// The client of a session is back.
    public static func resume(
        _ connection: AuditConnection,
        _ arrival: AuditArrival,
        at time: UInt64,
        wallClockOffset: Int64
    ) -> [UInt8] {
        var text = start("resume", time, wallClockOffset, capacity: connection.common.count + 512)
        text.append(connection.common)
        append(arrival, to: &text)
        return end(&text, connection)
    }

    /// Somebody wanted a session that he does not get: it is not there, or not his.
    ///
    /// - Parameters:
    ///   - code: What he is told, a ``SessionCode``.
    ///   - resolution: Who he is.
    ///   - arrival: His connection.
    ///   - listener: The address that he connected to.
    ///   - time: Now.
    ///   - wallClockOffset: See ``AuditLine``.
    public static func refusedResume(
        _ code: String,
        of resolution: IdentityMap.Resolution,
        _ arrival: AuditArrival,
        listener: String,
        at time: UInt64,
        wallClockOffset: Int64
    ) -> [UInt8] {
        var text = start("refusedResume", time, wallClockOffset, capacity: 1024)
        text.member(.identityField, resolution.field.rawValue)
        text.member(.identity, resolution.value)
        text.member(.entry, "clients[\(resolution.entry)]")
        text.member(.listener, listener)
        text.member(.code, code)
        append(arrival, to: &text)
        if text.isCut { text.member(.truncated, true) }
        text.append("}\n")
        return text.bytes
    }

    private static func append(_ arrival: AuditArrival, to text: inout AuditText) {
        text.member(.peer, arrival.peer)
        text.member(.proxy, arrival.proxy)
        text.member(.tls, arrival.tlsVersion)
        text.member(.cipher, arrival.cipher)
        text.member(.subject, arrival.certificate?.subject)
        text.member(.fingerprint, arrival.certificate?.fingerprint)
    }
}
