// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import IPCProtocol
import Testing

/// Audit lines, and what is in them.
enum AuditSample {
    /// A fixed moment, 2026-11-23T06:00:00.123456789Z, that many nanoseconds after the reactor's zero.
    static let time: UInt64 = 5_000_000_789
    static let offset: Int64 = 1_795_413_600_123_456_789 - 5_000_000_789

    static func connection(
        identity: String = "spiffe://example.org/dev/alice",
        match: [IdentityField: [String]]? = nil,
        context: IPCValue = "remote:alice"
    ) -> AuditConnection {
        AuditConnection(
            id: "r-1",
            peer: "192.0.2.7:40000",
            listener: "0.0.0.0:7443",
            identityField: "uri",
            identity: identity,
            match: match ?? [.uri: [identity]],
            context: context,
            isContextAssigned: true,
            entry: "clients[0]",
            tlsVersion: "1.3",
            cipher: "TLS_AES_128_GCM_SHA256",
            fingerprint: "ab12",
            subject: "CN=alice",
            generation: 3
        )
    }

    static func request(
        _ kind: AccessPolicy.Request = .call,
        channel: [UInt8] = Array("storage".utf8),
        name: [UInt8] = Array("get".utf8),
        argument: [UInt8] = [],
        outcome: AuditRequest.Outcome = .ok
    ) -> AuditRequest {
        AuditRequest(
            request: kind,
            channel: channel,
            name: name,
            argument: argument,
            upstream: "main",
            outcome: outcome,
            rule: "read storage",
            startedAt: time,
            endedAt: time + 1_234_567,
            requestBytes: 30,
            answerBytes: 40,
            events: 5
        )
    }

    /// The line of a request.
    static func line(
        _ request: AuditRequest,
        _ connection: AuditConnection = connection(),
        arguments: Int? = nil,
        redact: [String] = []
    ) throws -> [UInt8] {
        let settings = AuditSettings(
            destination: .standardOutput,
            arguments: arguments,
            redact: try redact.map { try ArgumentPath($0) }
        )
        return AuditLine.request(request, connection, settings, wallClockOffset: offset)
    }

    /// Reads a line with a reader that shares no code with its writer.
    static func parse(_ line: [UInt8]) throws -> [String: Any] {
        #expect(line.last == UInt8(ascii: "\n"))
        #expect(line.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7f })
        let value = try JSONSerialization.jsonObject(with: Data(line))
        return try #require(value as? [String: Any])
    }
}
