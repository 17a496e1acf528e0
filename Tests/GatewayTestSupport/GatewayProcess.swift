// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A running `ipc-gateway run`: the program that was built, with its log. Ends with the object.
public final class GatewayProcess: Sendable {
    /// A line of the log: `time`, `level`, `message` and the rest. What is not JSON has only `text`.
    public typealias LogLine = [String: String]

    private struct Log {
        var lines: [LogLine] = []
        var parsedByteCount = 0
    }

    /// The process.
    public let child: ChildProcess
    /// The port of its first listener; 0 when that is a Unix socket.
    public let port: UInt16
    private let parsed = Mutex(Log())

    /// Starts the gateway and waits until it listens.
    ///
    /// - Parameters:
    ///   - configurationFile: Its configuration.
    ///   - descriptorLimit: How many files it may have open.
    ///   - logLevel: What it logs.
    ///   - program: Its path; nil for the program that is built beside the tests.
    ///   - environment: Variables to add to those of the tests.
    ///   - descriptors: What it gets as its descriptors from 3 on.
    ///   - launcher: A command that starts it, such as `taskset`, with its arguments.
    ///   - arguments: Further arguments of `run`.
    /// - Throws: `TestSupportError` with what it says when it ends instead.
    public init(
        configurationFile: String,
        descriptorLimit: Int? = nil,
        logLevel: String = "debug",
        program: String? = nil,
        environment: [String: String] = [:],
        descriptors: [Int32] = [],
        launcher: [String] = [],
        arguments: [String] = []
    ) throws {
        var words = try launcher + Self.command(configurationFile, program: program) + arguments
        words += ["--log-format", "json", "--log-level", logLevel]
        if let descriptorLimit {
            words = ["/bin/sh", "-c", "ulimit -n \(descriptorLimit) && exec \"$@\"", "sh"] + words
        }
        let child = try ChildProcess(words, environment: environment, descriptors: descriptors)
        self.child = child
        var log = Log()
        var port: UInt16?
        try eventually("the gateway listens; it says: \(child.errors)", within: .seconds(30)) {
            if child.status != nil {
                throw TestSupportError("the gateway does not start, it ends with \(child.status ?? 0): \(child.errors)")
            }
            Self.parse(child, &log)
            let address = log.lines.first { $0["message"] == "listening" }?["address"]
            port = address.map { $0.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }
            return port != nil
        }
        self.port = port ?? 0
    }

    /// Whether gateways have their sandbox. Sanitizers do not work in it: TEST_SANDBOX=off.
    public static let hasSandbox = ProcessInfo.processInfo.environment["TEST_SANDBOX"] != "off"

    /// What starts it: the program, `run` and the options that tests need.
    public static func command(_ configurationFile: String, program: String? = nil) throws -> [String] {
        [try program ?? Self.program(), "run", "--config", configurationFile] + (hasSandbox ? [] : ["--no-sandbox"])
    }

    /// The path of the program, which is built beside the tests.
    public static func program() throws -> String {
        let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("ipc-gateway").path
        guard access(path, X_OK) == 0 else {
            throw TestSupportError("\(path) is not there; build it first: swift build --build-tests")
        }
        return path
    }

    // MARK: Log

    private static func parse(_ child: ChildProcess, _ log: inout Log) {
        let bytes = child.errorBytes(from: log.parsedByteCount)
        guard let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else {
            return
        }
        log.parsedByteCount += end + 1
        for line in bytes[..<end].split(separator: UInt8(ascii: "\n")) {
            let values = try? JSONDecoder().decode(LogLine.self, from: Data(line))
            log.lines.append(values ?? ["text": String(decoding: line, as: UTF8.self)])
        }
    }

    /// Everything it has logged.
    public var log: [LogLine] {
        self.parsed.withLock { log in
            Self.parse(self.child, &log)
            return log.lines
        }
    }

    /// The lines that say that a connection was closed, and why, in their order.
    public var closings: [LogLine] {
        self.log.filter { $0["message"] == "connection closed" }
    }

    /// Waits for a line.
    @discardableResult
    public func waitForLog(
        _ what: String,
        within limit: Duration = .seconds(10),
        where matches: (LogLine) -> Bool
    ) throws -> LogLine {
        var found: LogLine?
        try eventually("the gateway logs \(what); its last lines: \(self.log.suffix(5))", within: limit) {
            found = self.log.first(where: matches)
            return found != nil
        }
        return found ?? [:]
    }

    /// Waits until at least `count` connections have been closed.
    ///
    /// - Returns: The line of the last of them.
    @discardableResult
    public func waitForClosings(_ count: Int, within limit: Duration = .seconds(10)) throws -> LogLine {
        var closings: [LogLine] = []
        try eventually("\(count) connections are closed; these are: \(closings.suffix(5))", within: limit) {
            closings = self.closings
            return closings.count >= count
        }
        return closings[count - 1]
    }

    // MARK: Ending

    /// Asks it to end in order.
    ///
    /// - Returns: Its exit status, or the negative number of a signal.
    @discardableResult
    public func stop() throws -> Int32 {
        self.child.signal(SIGTERM)
        return try self.child.wait()
    }

    /// Ends it at once.
    public func kill() {
        self.child.signal(SIGKILL)
    }

    // MARK: Resources

    /// The memory it holds now, in bytes.
    public func residentBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(self.child.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw TestSupportError("no VmRSS for process \(self.child.pid)")
        }
        return kibibytes << 10
    }

    /// How many descriptors it has open now.
    public func descriptorCount() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(self.child.pid)/fd").count
    }

    /// What its descriptors are, for people.
    public var descriptors: String {
        let path = "/proc/\(self.child.pid)/fd"
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return numbers.compactMap { Int($0) }.sorted()
            .map { "\($0) \((try? FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/\($0)")) ?? "?")" }
            .joined(separator: ", ")
    }
}
