// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import IPCProtocol
public import Logging
internal import TLSEngine

/// Writes each log message as one line on standard error, with one system call, so that lines never mix.
public struct LineLogHandler: LogHandler {
    /// Values attached to every line of this logger.
    public var metadata: Logger.Metadata = [:]
    /// Gives more values for every line.
    public var metadataProvider: Logger.MetadataProvider?
    /// Lines below this level are not written.
    public var logLevel: Logger.Level

    private let format: LogFormat

    /// Makes a handler.
    public init(format: LogFormat, level: Logger.Level) {
        self.format = format
        logLevel = level
    }

    /// A value attached to every line.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a line.
    public func log(event: LogEvent) {
        var values = metadata
        if let provided = metadataProvider?.get() { values.merge(provided) { $1 } }
        if let own = event.metadata { values.merge(own) { $1 } }
        var line =
            switch format {
            case .text: Self.text(event.level, "\(event.message)", values)
            case .json: Self.json(event.level, "\(event.message)", values)
            }
        line.append(UInt8(ascii: "\n"))
        line.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let count = write(STDERR_FILENO, rest.baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                // Nobody is left to tell when standard error is gone or full.
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    private static func json(_ level: Logger.Level, _ message: String, _ values: Logger.Metadata) -> [UInt8] {
        var members: IPCObject = [
            "time": .string(IPCString(now())), "level": .string(IPCString(level.rawValue)),
            "message": .string(IPCString(message)),
        ]
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            members[IPCString(key)] = .string(IPCString("\(value)"))
        }
        return JSONText.write(.object(members)) ?? []
    }

    /// Why comes first, then who, then the rest.
    private static let textOrder = ["reason", "detail", "request", "peer", "identity", "context", "address"]
    /// What only a program wants to see in every line; JSON has it.
    private static let textOmits: Set = ["cipher", "fingerprint", "group", "tls"]

    private static func text(_ level: Logger.Level, _ message: String, _ values: Logger.Metadata) -> [UInt8] {
        let name = level.rawValue
        var line = "\(now()) \(name)\(String(repeating: " ", count: max(0, 8 - name.count)))\(message)"
        let keys =
            textOrder.filter { values[$0] != nil }
            + values.keys.filter { !textOrder.contains($0) && !textOmits.contains($0) }.sorted()
        for key in keys {
            if let value = values[key] { line += "  \(key)=\(quoted("\(value)"))" }
        }
        return Array(line.utf8)
    }

    /// Text of strangers must not look like another line, nor move a terminal's cursor.
    private static func quoted(_ text: String) -> String {
        var result = ""
        var needsQuotes = text.isEmpty
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                if scalar == "\"" { result += "\\" }
                if scalar == " " || scalar == "\"" || scalar == "=" { needsQuotes = true }
                result.unicodeScalars.append(scalar)
            }
        }
        return needsQuotes ? "\"\(result)\"" : result
    }

    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let milliseconds = 1000 + time.tv_nsec / 1_000_000
        return "\(UTCTime.format(Int64(time.tv_sec)).dropLast()).\("\(milliseconds)".dropFirst())Z"
    }
}
