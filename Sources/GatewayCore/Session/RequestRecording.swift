// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Which requests a session records for the audit log, and how much of them.
public struct RequestRecording: Sendable, Hashable {
    /// Whether requests that were allowed are recorded, too.
    public var includesAllowed: Bool
    /// The share of allowed requests that is recorded, from 0 to 1.
    public var sample: Double
    /// Bytes of an argument that are kept.
    public var argumentBytes: Int

    /// What has been added up of `sample`; at 1 the next request is recorded.
    private var due = 0.0

    /// Makes settings.
    public init(includesAllowed: Bool = true, sample: Double = 1, argumentBytes: Int = 0) {
        self.includesAllowed = includesAllowed
        self.sample = sample
        self.argumentBytes = argumentBytes
    }

    /// What an audit log needs; nil when it wants no requests.
    init?(_ settings: AuditSettings) {
        guard settings.calls != .none else { return nil }
        self.init(
            includesAllowed: settings.calls == .all,
            sample: settings.sample,
            argumentBytes: settings.keptArgumentBytes
        )
        // Or connections with a single request would never be in the sample.
        due = Double.random(in: 0..<1)
    }

    /// Whether the next allowed request is recorded. Every n-th is, where the share is one in n.
    mutating func takesNext() -> Bool {
        guard includesAllowed else { return false }
        due += sample
        guard due >= 1 else { return false }
        due -= 1
        return true
    }
}
