// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// A place in an argument: `[0].path`, `options.depth`, `["odd key"][2]`, or `.` for the argument itself.
public struct ArgumentPath: Sendable, Hashable, CustomStringConvertible {
    /// Why a path is refused.
    public struct Failure: Error, Hashable, CustomStringConvertible {
        /// What is wrong and what would be right.
        public var description: String
    }

    enum Step: Sendable, Hashable {
        /// An element of an array.
        case element(Int)
        /// A member of an object.
        case member(IPCString)
    }

    let steps: [Step]

    /// The path as it was written.
    public let description: String

    /// Parses a path.
    ///
    /// - Throws: ``Failure`` with what is wrong.
    public init(_ text: String) throws(Failure) {
        description = text
        var parser = Parser(text)
        steps = try parser.parse()
    }

    private struct Parser {
        let bytes: [UInt8]
        let text: String
        var position = 0

        init(_ text: String) {
            self.text = text
            bytes = Array(text.utf8)
        }

        mutating func parse() throws(Failure) -> [Step] {
            if bytes == Array(".".utf8) { return [] }
            guard !bytes.isEmpty else { throw failure("is empty; the argument itself is \".\"") }
            var steps: [Step] = []
            while position < bytes.count {
                switch bytes[position] {
                case UInt8(ascii: "["):
                    position += 1
                    steps.append(try bracket())
                case UInt8(ascii: ".") where !steps.isEmpty:
                    position += 1
                    steps.append(try name())
                default:
                    guard steps.isEmpty else { throw failure("a dot is missing before a name") }
                    steps.append(try name())
                }
            }
            return steps
        }

        private mutating func name() throws(Failure) -> Step {
            let start = position
            while position < bytes.count, Self.isPlain(bytes[position]) { position += 1 }
            guard position > start else {
                throw failure("a name is missing; odd names are written [\"…\"], elements of arrays [0]")
            }
            return .member(IPCString(String(decoding: bytes[start..<position], as: UTF8.self)))
        }

        /// Letters, digits, `_`, `$`, `-`, and everything that is not ASCII.
        private static func isPlain(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), 0x80...:
                true
            default:
                "_$-".utf8.contains(byte)
            }
        }

        private mutating func bracket() throws(Failure) -> Step {
            let start = position
            if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                position += 1
                while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                    position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
                }
                let end = position + 1
                try close(at: end)
                guard let key = try? JSONText.parse(bytes.span, in: start..<end), case .string(let name) = key else {
                    throw failure("a name in quotes is written as in JSON")
                }
                return .member(name)
            }
            while position < bytes.count, bytes[position] != UInt8(ascii: "]") { position += 1 }
            let digits = bytes[start..<position]
            try close(at: position)
            guard let number = Int(String(decoding: digits, as: UTF8.self)), String(number).utf8.elementsEqual(digits),
                (0..<1 << 28).contains(number)
            else { throw failure("in brackets stands a whole number, or a name in quotes as in [\"odd name\"]") }
            return .element(number)
        }

        private mutating func close(at end: Int) throws(Failure) {
            guard end < bytes.count, bytes[end] == UInt8(ascii: "]") else { throw failure("a bracket is not closed") }
            position = end + 1
        }

        private func failure(_ message: String) -> Failure {
            Failure(description: "'\(text)' is not a path into an argument, such as [0].path: \(message)")
        }
    }
}
