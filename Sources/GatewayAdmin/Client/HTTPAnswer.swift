// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What an HTTP/1 server has answered, read strictly: it is the gateway, or nobody that is to be believed.
public struct HTTPAnswer: Sendable, Equatable {
    /// Why an answer is not taken.
    public struct Malformed: Error, Equatable, CustomStringConvertible {
        /// What is wrong, a sentence.
        public let description: String
    }

    /// The largest answer, header included, in bytes.
    public static let most = 32 << 20
    private static let mostHeader = 32 << 10

    /// The status, such as 200.
    public var status: Int
    /// The body.
    public var body: [UInt8]

    /// Reads everything that a server has sent until it closed the connection.
    ///
    /// - Throws: What is wrong with it.
    public init(_ bytes: [UInt8]) throws(Malformed) {
        let end = Array("\r\n\r\n".utf8)
        guard let split = bytes.prefix(Self.mostHeader).firstRange(of: end) else {
            throw Malformed(description: bytes.isEmpty ? "it answered nothing" : "it did not answer with HTTP")
        }
        let lines = String(decoding: bytes[..<split.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0", words[1].utf8.count == 3,
            let status = Int(words[1]), (200...599).contains(status)
        else { throw Malformed(description: "it did not answer with HTTP") }
        var length: Int?
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Malformed(description: "a header has no colon") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            switch line[..<colon].lowercased() {
            case "transfer-encoding": throw Malformed(description: "its answer comes in an unexpected encoding")
            case "content-length":
                guard length == nil, let number = Int(value), number >= 0,
                    value.utf8.allSatisfy({ (48...57).contains($0) })
                else { throw Malformed(description: "its answer has an impossible length") }
                length = number
            default: break
            }
        }
        let body = bytes[split.upperBound...]
        if let length, length != body.count {
            throw Malformed(description: "its answer broke off: \(body.count) of \(length) bytes came")
        }
        self.status = status
        self.body = Array(body)
    }
}
