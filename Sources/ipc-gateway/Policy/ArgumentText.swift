// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPCProtocol

/// Arguments that are judged but not sent, given as those of `ipc-gateway call` are.
///
/// Objects keep their spelling: a key that is there twice is judged as a gateway would see it, not as JSON readers do.
enum ArgumentText {
    /// Encodes what would be sent.
    ///
    /// - Parameters:
    ///   - texts: JSON; of several an array is made.
    ///   - isService: Whether an array is made of one too.
    static func encode(_ texts: [[UInt8]], isService: Bool) throws -> [UInt8] {
        let values = try texts.enumerated().map { index, text in
            try encode(text[...], from: texts.count == 1 ? "--argument" : "--argument number \(index + 1)")
        }
        if values.count == 1, !isService { return values[0] }
        return values.isEmpty && !isService ? ValueEncoder.encode(.undefined) : array(values)
    }

    private static func encode(_ text: ArraySlice<UInt8>, from source: String) throws -> [UInt8] {
        let value = try ValueText.parse(Array(text), from: source)
        switch value {
        case .array: return array(try elements(of: text).map { try encode($0, from: source) })
        case .object:
            // Tag and length as in PROTOCOL 2, then JSON.
            let json = ValueEncoder.encode(.string(IPCString(String(decoding: text, as: UTF8.self))))
            return [5] + json.dropFirst()
        default: return ValueEncoder.encode(value)
        }
    }

    private static func array(_ values: [[UInt8]]) -> [UInt8] {
        var output: [UInt8] = [4]
        VQL.append(Int32(values.count), to: &output)
        return output + values.flatMap(\.self)
    }

    /// The elements of an array, which is JSON.
    private static func elements(of text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        guard let open = text.firstIndex(of: UInt8(ascii: "[")) else { return [] }
        var elements: [ArraySlice<UInt8>] = []
        var start = text.index(after: open)
        var depth = 0
        var isInString = false
        var position = start
        func finish() {
            let element = text[start..<position]
            let isBlank = element.allSatisfy { " \t\r\n".utf8.contains($0) }
            if !isBlank { elements.append(element) }
        }
        while position < text.endIndex {
            switch text[position] {
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: "\\"): position += 1
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += isInString ? 0 : 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if isInString { break }
                if depth == 0 {
                    finish()
                    return elements
                }
                depth -= 1
            case UInt8(ascii: ",") where depth == 0 && !isInString:
                finish()
                start = position + 1
            default: break
            }
            position += 1
        }
        return elements
    }
}
