// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A program that is run to its end.
enum Program {
    /// Runs it.
    ///
    /// - Parameters:
    ///   - words: The command, looked for in PATH, and its arguments.
    ///   - environment: Variables to add.
    /// - Returns: What it printed.
    /// - Throws: What it said, where it fails.
    static func run(_ words: [String], environment: [String: String] = [:]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        let errors = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        guard FileManager.default.createFile(atPath: errors.path, contents: nil) else {
            throw Failure("\(errors.path) cannot be written")
        }
        defer { try? FileManager.default.removeItem(at: errors) }
        process.standardOutput = output
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            let said = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
            throw Failure("\(words[0]) fails (\(process.terminationStatus)): \(said)")
        }
        return String(decoding: printed, as: UTF8.self)
    }
}
