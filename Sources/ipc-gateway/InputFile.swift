// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Glibc

/// A file, or standard input, read piece by piece.
final class InputFile {
    /// How it is called in messages.
    let name: String
    private let descriptor: Int32
    private let isStandardInput: Bool

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: ``CommandFailure`` when that fails.
    init(_ path: String) throws {
        isStandardInput = path == "-"
        name = isStandardInput ? "standard input" : path
        descriptor = isStandardInput ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(name) }
    }

    deinit {
        if !isStandardInput { close(descriptor) }
    }

    /// The next piece; empty at the end.
    func read() throws -> [UInt8] {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure(name) }
            return Array(chunk[..<count])
        }
    }

    /// Goes through the lines, which are numbered from 1.
    ///
    /// - Parameters:
    ///   - limit: The longest line; a longer one is an error.
    ///   - body: Takes the number and the line, without its line feed.
    func forEachLine(atMost limit: Int, _ body: (Int, [UInt8]) throws -> Void) throws {
        var number = 1
        var rest: [UInt8] = []
        while true {
            let piece = try read()
            var start = piece.startIndex
            while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
                try body(number, rest + piece[start..<end])
                rest = []
                number += 1
                start = end + 1
            }
            rest += piece[start...]
            if piece.isEmpty {
                if !rest.isEmpty { try body(number, rest) }
                return
            }
            guard rest.count <= limit else {
                throw CommandFailure("\(name):\(number): the line is too long", .failure)
            }
        }
    }

    /// Everything.
    static func contents(of path: String) throws -> [UInt8] {
        let file = try InputFile(path)
        var bytes: [UInt8] = []
        while true {
            let piece = try file.read()
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }

    private static func failure(_ name: String) -> CommandFailure {
        CommandFailure("\(name) cannot be read: \(String(cString: strerror(errno)))", .failure)
    }
}
