// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The name of a member of audit lines, as bytes that are appended at once: there are twenty in each line.
struct AuditKey {
    /// A comma, the name in quotes, and a colon.
    let bytes: [UInt8]

    private init(_ name: String) {
        bytes = Array(",\"\(name)\":".utf8)
    }

    /// The name of a field, in `match`.
    init(_ field: IdentityField) {
        self.init(field.rawValue)
    }

    static let allowed = AuditKey("allowed")
    static let answerBytes = AuditKey("answerBytes")
    static let argument = AuditKey("argument")
    static let bytesIn = AuditKey("bytesIn")
    static let bytesOut = AuditKey("bytesOut")
    static let calls = AuditKey("calls")
    static let channel = AuditKey("channel")
    static let cipher = AuditKey("cipher")
    static let code = AuditKey("code")
    static let command = AuditKey("command")
    static let connection = AuditKey("connection")
    static let context = AuditKey("context")
    static let contextAssigned = AuditKey("contextAssigned")
    static let count = AuditKey("count")
    static let denied = AuditKey("denied")
    static let entry = AuditKey("entry")
    static let event = AuditKey("event")
    static let events = AuditKey("events")
    static let fingerprint = AuditKey("fingerprint")
    static let framesIn = AuditKey("framesIn")
    static let framesOut = AuditKey("framesOut")
    static let from = AuditKey("from")
    static let generation = AuditKey("generation")
    static let identity = AuditKey("identity")
    static let identityField = AuditKey("identityField")
    static let listener = AuditKey("listener")
    static let match = AuditKey("match")
    static let milliseconds = AuditKey("milliseconds")
    static let outcome = AuditKey("outcome")
    static let peer = AuditKey("peer")
    static let proxy = AuditKey("proxy")
    static let reason = AuditKey("reason")
    static let repeats = AuditKey("repeats")
    static let requestBytes = AuditKey("requestBytes")
    static let rule = AuditKey("rule")
    static let shadow = AuditKey("shadow")
    static let strays = AuditKey("strays")
    static let subject = AuditKey("subject")
    static let time = AuditKey("time")
    static let tls = AuditKey("tls")
    static let truncated = AuditKey("truncated")
    static let type = AuditKey("type")
    static let upstream = AuditKey("upstream")
}
