// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The golden vectors: what the real VS Code 1.99 wrote and read, recorded once.
public enum Vectors {
    /// The vectors about values.
    public static func values() throws -> ValueVectors {
        try load("values")
    }

    /// The vectors about frames.
    public static func frames() throws -> FrameVectors {
        try load("frames")
    }

    /// A recorded conversation.
    ///
    /// - Parameter name: Its name without `conv-`, such as `connect`.
    public static func conversation(_ name: String) throws -> Conversation {
        try load("conv-\(name)")
    }

    /// A recorded conversation over the persistent protocol.
    ///
    /// - Parameter name: Its name without `conv-`, such as `persistent-ack`.
    public static func persistentConversation(_ name: String) throws -> PersistentConversation {
        try load("conv-\(name)")
    }

    /// The names of the recorded conversations over the plain protocol, sorted.
    public static func conversationNames() throws -> [String] {
        try allConversationNames().filter { !$0.hasPrefix("persistent-") }
    }

    /// The names of those over the persistent protocol, sorted.
    public static func persistentConversationNames() throws -> [String] {
        try allConversationNames().filter { $0.hasPrefix("persistent-") }
    }

    private static func allConversationNames() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: try directory().path)
            .filter { $0.hasPrefix("conv-") && $0.hasSuffix(".json") }
            .map { String($0.dropFirst("conv-".count).dropLast(".json".count)) }
            .sorted()
    }

    /// A vector file that is not what it should be.
    public struct Malformed: Error, CustomStringConvertible {
        /// What is wrong.
        public var description: String
    }

    private static func directory() throws -> URL {
        guard let url = Bundle.module.url(forResource: "Vectors", withExtension: nil) else {
            throw Malformed(description: "the folder of vectors is not in the bundle")
        }
        return url
    }

    private static func load<T: Decodable>(_ name: String) throws -> T {
        let data = try Data(contentsOf: try directory().appendingPathComponent("\(name).json"))
        return try JSONDecoder().decode(T.self, from: data)
    }
}

/// The bytes a vector expects: all of them, or for big ones a digest.
public struct ExpectedBytes: Sendable, Decodable {
    /// All bytes, where the vector has them.
    public var bytes: [UInt8]?
    /// How many there are.
    public var length: Int
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private var sha256 = ""

    private enum Key: String, CodingKey {
        case hex, length, headHex, tailHex, sha256
    }

    /// Reads the members `hex`, or `length`, `headHex`, `tailHex` and `sha256`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        if let hex = try container.decodeIfPresent(String.self, forKey: .hex) {
            let all = try [UInt8](hex: hex)
            bytes = all
            length = all.count
        } else {
            length = try container.decode(Int.self, forKey: .length)
            head = try [UInt8](hex: container.decode(String.self, forKey: .headHex))
            tail = try [UInt8](hex: container.decode(String.self, forKey: .tailHex))
            sha256 = try container.decode(String.self, forKey: .sha256)
        }
    }

    /// Returns whether these are the bytes.
    public func matches(_ found: [UInt8]) -> Bool {
        if let bytes {
            return found == bytes
        }
        return found.count == length && found.starts(with: head) && found.suffix(tail.count).elementsEqual(tail)
            && SHA256Digest.hex(of: found) == sha256
    }
}

extension [UInt8] {
    /// Creates bytes from hexadecimal text; spaces are ignored.
    public init(hex: String) throws {
        self = []
        var pending: UInt8?
        for character in hex where character != " " {
            guard let digit = character.hexDigitValue else {
                throw Vectors.Malformed(description: "not hexadecimal: \(hex.prefix(40))")
            }
            if let high = pending {
                append(high << 4 | UInt8(digit))
                pending = nil
            } else {
                pending = UInt8(digit)
            }
        }
        guard pending == nil else {
            throw Vectors.Malformed(description: "half a byte: \(hex.prefix(40))")
        }
    }

    /// The bytes as hexadecimal text.
    public var hex: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
