// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC

/// Prints what passes on connections, in readable lines.
struct TracePrinter {
    private var decoders: [Int: TraceDecoder] = [:]
    /// After how many characters a value is cut; nil for never.
    private let width: Int?
    /// Whether lines have a time and a connection.
    private let isTimed: Bool
    private let print: (String) throws -> Void

    /// - Parameters:
    ///   - width: After how many characters a value is cut; 0 for never.
    ///   - isTimed: Whether lines have a time and the number of the connection.
    ///   - print: Prints a line.
    init(width: Int, isTimed: Bool, print: @escaping (String) throws -> Void = { try Console.write(line: $0) }) {
        self.width = width == 0 ? nil : width
        self.isTimed = isTimed
        self.print = print
    }

    /// Prints what is complete with these bytes.
    mutating func receive(
        _ bytes: [UInt8],
        _ direction: TraceDirection,
        of connection: Int,
        at milliseconds: Double
    ) throws {
        for entry in decoders[connection, default: TraceDecoder()].receive(bytes.span, direction, at: milliseconds) {
            try print(entry, connection)
        }
    }

    /// Prints the end of one direction.
    mutating func finish(_ direction: TraceDirection, of connection: Int, at milliseconds: Double) throws {
        for entry in decoders[connection, default: TraceDecoder()].finish(direction, at: milliseconds) {
            try print(entry, connection)
        }
    }

    /// Prints what happens to a connection as a whole.
    func note(_ text: String, of connection: Int, at milliseconds: Double) throws {
        try print("\(TraceEntry.time(milliseconds)) #\(connection) \(PrintableText.escaped(text))")
    }

    /// Forgets a connection that is over.
    mutating func forget(_ connection: Int) {
        decoders[connection] = nil
    }

    private func print(_ entry: TraceEntry, _ connection: Int) throws {
        try print(isTimed ? entry.line(connection: connection, width: width) : entry.untimedLine(width: width))
    }
}
