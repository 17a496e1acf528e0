// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

extension IPCValue {
    /// What describes this value, in the form of the vectors; `describe.mjs` says the same of the same value.
    var described: IPCValue {
        switch self {
        case .undefined: ["t": "undefined"]
        case .null: ["t": "null"]
        case .bool(let bool): ["t": "bool", "v": .bool(bool)]
        case .int(let int): ["t": "number", "v": IPCValue("\(int)")]
        case .number(let double): ["t": "number", "v": IPCValue(Self.text(double))]
        case .string(let string): Self.described(string)
        case .buffer(let bytes): ["t": "buffer", "hex": IPCValue(Self.hex(bytes))]
        case .vsBuffer(let bytes): ["t": "vsbuffer", "hex": IPCValue(Self.hex(bytes))]
        case .array(let elements): ["t": "array", "v": .array(elements.map(\.described))]
        case .object(let object) where object.members.first?.key == Self.nativeKey:
            ["t": "native", "v": object.members[0].value]
        case .object(let object):
            ["t": "object", "v": .array(object.members.map { [.string($0.key), $0.value.described] })]
        }
    }

    /// Stands for a value that only JavaScript has: `describe.mjs` makes it.
    static func native(_ name: String) -> IPCValue {
        .object(IPCObject([.init(key: nativeKey, value: IPCValue(name))]))
    }

    private static let nativeKey: IPCString = "a value that only JavaScript has"

    /// The description as JSON.
    var descriptionText: String {
        String(decoding: JSONText.write(described) ?? [], as: UTF8.self)
    }

    private static func described(_ string: IPCString) -> IPCValue {
        guard string.hasLoneSurrogate else { return ["t": "string", "v": .string(string)] }
        return ["t": "string", "utf16": .array(utf16(string).map { IPCValue(Int($0)) })]
    }

    /// Each lone surrogate is three bytes here, as it would be in UTF-8.
    private static func utf16(_ string: IPCString) -> [UInt16] {
        var units: [UInt16] = []
        var rest = string.wtf8[...]
        while let first = rest.first {
            let count = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
            let bytes = rest.prefix(count)
            rest = rest.dropFirst(count)
            if let text = String(validating: bytes, as: UTF8.self) {
                units += Array(text.utf16)
            } else {
                units.append(bytes.dropFirst().reduce(UInt16(first & 0x0f)) { $0 << 6 | UInt16($1 & 0x3f) })
            }
        }
        return units
    }

    /// A number as JavaScript prints it; `Object.is` tells −0 from 0.
    private static func text(_ double: Double) -> String {
        if double == 0, double.sign == .minus { return "-0" }
        if double.isNaN { return "NaN" }
        if double.isInfinite { return double < 0 ? "-Infinity" : "Infinity" }
        return String(decoding: JSONText.write(.number(double)) ?? [], as: UTF8.self)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
