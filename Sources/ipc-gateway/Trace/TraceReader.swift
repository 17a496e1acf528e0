// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPC

/// Prints what is in a file.
enum TraceReader {
    /// The longest line of a recording: a piece of 64 KiB has twice as many digits, and somebody else may have made it.
    private static let longestLine = 256 << 20
    private static let mostBadLines = 10

    /// Prints raw bytes of one direction.
    static func printRaw(_ file: InputFile, _ direction: TraceDirection, width: Int) throws {
        var printer = TracePrinter(width: width, isTimed: false)
        while true {
            let piece = try file.read()
            if piece.isEmpty { return try printer.finish(direction, of: 1, at: 0) }
            try printer.receive(piece, direction, of: 1, at: 0)
        }
    }

    /// Prints a recording.
    ///
    /// - Throws: ``CommandFailure`` at its end, when there were lines that nobody can read.
    static func printRecording(_ file: InputFile, width: Int) throws {
        var printer = TracePrinter(width: width, isTimed: true)
        var badCount = 0
        try file.forEachLine(atMost: longestLine) { number, line in
            guard line.contains(where: { $0 > 0x20 }) else { return }
            let record: TraceRecord
            do {
                record = try TraceRecord(line: line)
            } catch {
                badCount += 1
                let hint = number == 1 ? "; for raw bytes say which way they went: --raw c2s or --raw s2c" : ""
                Console.complain("error: \(file.name):\(number): \(error)\(hint)")
                // A file of another kind would have nothing but such lines.
                if badCount == mostBadLines { throw CommandFailure("\(file.name) is not a recording", .failure) }
                return
            }
            if let bytes = record.bytes {
                try printer.receive(bytes, record.direction, of: record.connection, at: record.at)
            } else {
                try printer.finish(record.direction, of: record.connection, at: record.at)
            }
        }
        guard badCount == 0 else {
            let lines = badCount == 1 ? "a line" : "\(badCount) lines"
            throw CommandFailure("\(lines) of \(file.name) could not be read", .failure)
        }
    }
}
