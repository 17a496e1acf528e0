// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What the audit log holds, and where it goes (`audit:`, docs/audit.md).
public struct AuditSettings: Sendable, Hashable {
    /// Where lines go.
    public enum Destination: Sendable, Hashable {
        /// A file, appended to; the path as it was written, see ``GatewayConfiguration/resolve(_:)``.
        case file(String)
        /// Standard output.
        case standardOutput
        /// The system's log, over its socket.
        case syslog
    }

    /// Which requests have lines. Connections always have them.
    public enum Calls: String, Sendable, Hashable, CaseIterable {
        /// Every call and every listen, as far as `sample` takes it.
        case all
        /// Those that `AuditRequest.isAlwaysWritten` is about.
        case denied
        /// None.
        case none
    }

    /// How many lines may wait to be written when nothing else is said.
    public static let standardQueueLines = 8192

    /// Where lines go.
    public var destination: Destination
    /// Which calls and listens have lines.
    public var calls: Calls
    /// The share of allowed requests that have lines, from 0 to 1.
    public var sample: Double
    /// Bytes of an argument's JSON at most; nil for no arguments.
    public var arguments: Int?
    /// Places in arguments that are replaced by "…".
    public var redact: [ArgumentPath]
    /// Lines that may wait to be written; more are dropped and counted.
    public var queueLines: Int

    /// Makes settings; the defaults are those of docs/audit.md.
    public init(
        destination: Destination,
        calls: Calls = .all,
        sample: Double = 1,
        arguments: Int? = nil,
        redact: [ArgumentPath] = [],
        queueLines: Int = Self.standardQueueLines
    ) {
        self.destination = destination
        self.calls = calls
        self.sample = sample
        self.arguments = arguments
        self.redact = redact
        self.queueLines = queueLines
    }

    /// Bytes of an encoded argument that are worth keeping for `AuditRequest.argument`; 0 without arguments. Of a longer
    /// one the first so many are enough.
    public var keptArgumentBytes: Int {
        // JSON text may be indented, and what is redacted leaves room for more.
        arguments.map { 4 * $0 + 256 } ?? 0
    }

    /// The path of the file as the process must open it; nil when lines do not go to a file.
    public func path(in configuration: GatewayConfiguration) -> String? {
        if case .file(let path) = destination { configuration.resolve(path) } else { nil }
    }
}
