// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import IPCProtocol

/// The audit log: whatever strangers call things, a line is one line of JSON, and no terminal obeys it.
enum AuditTarget {
    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        let choice = reader.byte()
        let (identity, channel, name) = (reader.piece(), reader.piece(), reader.piece())
        let text = String(decoding: identity, as: UTF8.self)
        let connection = AuditConnection(
            id: "r-1",
            peer: text,
            listener: "0.0.0.0:7443",
            identityField: "uri",
            identity: text,
            match: [.uri: [text, "a"]],
            context: choice & 1 == 0 ? IPCValue(text) : ["name": IPCValue(text), IPCString(text): "x"],
            isContextAssigned: true,
            entry: "clients[0]",
            subject: text,
            generation: 1
        )
        let redact = choice & 2 == 0 ? [] : ["a", "[0].b"].compactMap { try? ArgumentPath($0) }
        let settings = AuditSettings(
            destination: .standardOutput,
            arguments: choice & 4 == 0 ? 40 : 400,
            redact: redact
        )
        let request = AuditRequest(
            request: choice & 8 == 0 ? .call : .listen,
            channel: channel,
            name: choice & 16 == 0 ? name : [UInt8](repeating: 0xc3, count: 4_095) + name,
            argument: reader.rest(),
            upstream: text,
            outcome: .ok,
            rule: text,
            startedAt: 1,
            endedAt: UInt64(choice) << 30,
            shadow: choice & 32 == 0 ? nil : .init(isAllowed: true, rule: text)
        )
        check(AuditLine.open(connection, at: 1, wallClockOffset: 1_795_413_600_123_456_789))
        var line = AuditLine.request(request, connection, settings, wallClockOffset: 1_795_413_600_123_456_789)
        // The defect: one control character of a channel's name stands for itself.
        if Target.isSpoiled, channel.contains(0x1b) { line.insert(0x1b, at: line.count / 2) }
        check(line)
    }

    private static func check(_ line: [UInt8]) {
        require(line.last == UInt8(ascii: "\n"), "a line ends")
        require(line.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "nothing in it is for the terminal")
        var json = StrictJSON(Array(line.dropLast()))
        guard case .object(let members)? = json.readOnly() else {
            fatalError("does not hold: it is an object: \(String(decoding: line, as: UTF8.self))")
        }
        require(members[Array("v".utf8)] == .number(1), "it has a version")
        let scalars = String(decoding: line, as: UTF8.self).unicodeScalars
        require(scalars.allSatisfy { $0.value < 0x80 || !$0.properties.isDefaultIgnorableCodePoint }, "all is seen")
    }
}
