// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// An argument as a tree that says of itself what is wrong with it, so that an oracle needs no decoder.
indirect enum OracleValue {
    case undefined
    case null
    case bool(Bool)
    /// A number as it is written in JSON, and what it is.
    case number(String, Double)
    case text(String)
    case buffer
    /// Outside of `json` an array of the encoding.
    case array([OracleValue])
    /// Only inside of `json`; keys may be there twice.
    case object([(key: String, value: OracleValue)])
    /// Only inside of `json`: a URI, and whether its members agree.
    case uri(path: String, isHonest: Bool)
    /// A value that travels as JSON.
    case json(OracleValue)

    /// The bytes that travel; characters of JSON strings are escaped at random.
    func encoded(_ random: inout some RandomNumberGenerator) -> [UInt8] {
        switch self {
        case .undefined: return [0]
        case .text(let text): return PolicyText.text(text)
        case .buffer: return [2, 1, 97]
        case .array(let elements):
            var output: [UInt8] = [4, UInt8(elements.count)]
            for element in elements { output += element.encoded(&random) }
            return output
        case .number(_, let value) where Int32(exactly: value) != nil && value.sign == .plus:
            return ValueEncoder.encode(.int(Int32(value)))
        case .json(let value): return PolicyText.json(value.written(&random))
        default: return PolicyText.json(written(&random))
        }
    }

    private func written(_ random: inout some RandomNumberGenerator) -> String {
        switch self {
        case .undefined, .null, .buffer: "null"
        case .bool(let bool): "\(bool)"
        case .number(let text, _): text
        case .text(let text): Self.quoted(text, &random)
        case .array(let elements): "[" + elements.map { $0.written(&random) }.joined(separator: " ,") + "]"
        case .object(let members):
            "{ "
                + members.map { "\(Self.quoted($0.key, &random)) :\($0.value.written(&random))" }.joined(separator: ",")
                + "}"
        case .uri(let path, let isHonest):
            Self.writtenURI(path, isHonest: isHonest, &random)
        case .json(let value): value.written(&random)
        }
    }

    private static func writtenURI(
        _ path: String,
        isHonest: Bool,
        _ random: inout some RandomNumberGenerator
    ) -> String {
        let honest = ["", #","fsPath":\#(quoted(path, &random))"#, #","external":"file://\#(path)""#]
        let dishonest = [#","fsPath":"/etc""#, #","external":"file:///etc""#, #","authority":"h""#]
        let more = (isHonest ? honest : dishonest)[Int.random(in: 0..<3, using: &random)]
        return #"{"$mid":1,"scheme":"file","path":\#(quoted(path, &random))\#(more)}"#
    }

    private static func quoted(_ text: String, _ random: inout some RandomNumberGenerator) -> String {
        var output = "\""
        for unit in text.utf16 {
            if Int.random(in: 0..<4, using: &random) == 0 || unit < 32 || unit > 126 {
                let digits = String(unit, radix: 16, uppercase: Bool.random(using: &random))
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                output += String(decoding: [unit], as: UTF16.self)
            }
        }
        return output + "\""
    }

    /// Whether some object has a key twice, or one that makes it another object in JavaScript.
    var isAmbiguous: Bool {
        switch self {
        case .array(let elements): return elements.contains(where: \.isAmbiguous)
        case .object(let members):
            let keys = members.map { Array($0.key.utf8) }
            return Set(keys).count < keys.count || keys.contains(Array("__proto__".utf8))
                || members.contains(where: \.value.isAmbiguous)
        default: return false
        }
    }
}
