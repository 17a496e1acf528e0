// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import GatewayRuntime
import GatewayTestSupport
import Logging
import Synchronization
import Testing

/// An audit log in a folder of its own, and what it says in the other log.
final class AuditBench: Sendable {
    let directory: TemporaryDirectory
    let messages = MessageList()
    let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("audit.jsonl")
    }

    /// Opens a log; at `path` when nothing else is said.
    func open(
        _ destination: AuditSettings.Destination? = nil,
        lines: Int = AuditSettings.standardQueueLines,
        syslogSocket: String = AuditLog.syslogSocket,
        standardOutput: Int32 = 1
    ) throws -> AuditLog {
        let settings = AuditSettings(destination: destination ?? .file(path), queueLines: lines)
        let messages = messages
        let logger = Logger(label: "audit") { _ in ListingLogHandler(list: messages) }
        return try AuditLog(
            settings,
            logger: logger,
            syslogSocket: syslogSocket,
            standardOutput: standardOutput
        )
    }

    /// The lines of a file, each without its line feed.
    func lines(_ name: String = "audit.jsonl") throws -> [String] {
        let text = try String(contentsOfFile: directory.file(name), encoding: .utf8)
        return text.split(separator: "\n").map(String.init)
    }

    /// A line that can be told from others.
    static func line(_ number: Int, from thread: Int = 0, padding: Int = 0) -> [UInt8] {
        Array(
            "{\"thread\":\(thread),\"number\":\(number),\"text\":\"\(String(repeating: "x", count: padding))\"}\n".utf8
        )
    }

    /// The numbers of lines, in their order; what tells of dropped lines counts as so many -1.
    static func numbers(_ lines: [String], of thread: Int = 0) throws -> [Int] {
        try lines.flatMap { line in
            let members = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            if let count = members["count"] as? Int {
                #expect(members["type"] as? String == "dropped")
                return [Int](repeating: -1, count: count)
            }
            return members["thread"] as? Int == thread ? [try #require(members["number"] as? Int)] : []
        }
    }
}

/// Messages of a logger.
final class MessageList: Sendable {
    private let list = Mutex<[String]>([])

    var all: [String] { list.withLock { $0 } }

    func append(_ message: String) {
        list.withLock { $0.append(message) }
    }

    /// Waits for a message that holds these words.
    func wait(for words: String) throws {
        try eventually("'\(words)' is logged; these are: \(all)", within: .seconds(30)) {
            all.contains { $0.contains(words) }
        }
    }
}

private struct ListingLogHandler: LogHandler {
    let list: MessageList
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(list: MessageList) {
        self.list = list
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        list.append("\(event.level) \(event.message) \(event.metadata ?? [:])")
    }
}
