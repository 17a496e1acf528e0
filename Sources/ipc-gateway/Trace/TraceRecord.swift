// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol

/// A line of a recording: `{"at":12.5,"connection":1,"direction":"c2s","hex":"0100…"}`, or with `"end":true` for `hex`.
struct TraceRecord: Equatable {
    /// Why a line is not one of a recording.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    /// When, in milliseconds from the beginning.
    var at: Double
    /// Which connection.
    var connection: Int
    /// Which way.
    var direction: TraceDirection
    /// The bytes; nil for the end of this direction.
    var bytes: [UInt8]?

    /// The line, without a line feed.
    var line: String {
        let at = (at * 1_000).rounded() / 1_000
        let what = bytes.map { "\"hex\":\"\(Self.hexadecimal($0))\"" } ?? "\"end\":true"
        return "{\"at\":\(at),\"connection\":\(connection),\"direction\":\"\(direction.rawValue)\",\(what)}"
    }

    init(at: Double, connection: Int, direction: TraceDirection, bytes: [UInt8]?) {
        self.at = at
        self.connection = connection
        self.direction = direction
        self.bytes = bytes
    }

    /// Reads a line.
    ///
    /// - Throws: What is wrong with it.
    init(line: [UInt8]) throws(Problem) {
        guard let value = try? JSONText.parse(line.span, in: 0..<line.count), value.object != nil else {
            throw Problem(description: "this is not a JSON object")
        }
        guard let name = value["direction"]?.string, let direction = TraceDirection(rawValue: name) else {
            throw Problem(description: "'direction' is neither \"c2s\" nor \"s2c\"")
        }
        self.direction = direction
        at = value["at"]?.double ?? 0
        connection = value["connection"]?.double.flatMap { Int(exactly: $0) } ?? 1
        if value["end"] == true {
            bytes = nil
        } else if let hex = value["hex"]?.string, let bytes = Self.bytes(hex) {
            self.bytes = bytes
        } else {
            throw Problem(description: "'hex' is not a text of hexadecimal digits in pairs")
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 0xf)]] }
        return String(decoding: text, as: UTF8.self)
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for byte in text.utf8 {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
            if let first = high {
                bytes.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        return high == nil ? bytes : nil
    }
}
