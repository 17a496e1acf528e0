// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPC
internal import IPCProtocol

/// Values as a person or a script writes and reads them: JSON, in which buffers are objects with base64, such as
/// `{"type":"Buffer","base64":"aGVsbG8="}`, and `undefined` is `null`.
///
/// What is printed can be given as an argument, and is the same value but for `undefined`.
enum ValueText {
    /// The types of buffers that travel, by their names in JSON.
    private static let buffer = "Buffer"
    private static let vsBuffer = "VSBuffer"

    // MARK: Reading

    /// Reads a value.
    ///
    /// - Throws: ``CommandFailure`` that says what is not JSON.
    static func parse(_ text: [UInt8], from source: String) throws -> IPCValue {
        do {
            return try restored(try JSONText.parse(text.span, in: 0..<text.count))
        } catch let error as WireError {
            let shown = PrintableText.escaped(String(decoding: text.prefix(60), as: UTF8.self))
            let place = "\(source) is not JSON at byte \(error.offset)"
            let hint = "a text needs quotes of its own: '\"text\"'"
            throw CommandFailure("\(place): '\(shown)\(text.count > 60 ? "…" : "")'; \(hint)", .validationFailure)
        }
    }

    /// Makes buffers of the objects that stand for them, where buffers can travel: in arrays, not in objects.
    private static func restored(_ value: IPCValue) throws -> IPCValue {
        switch value {
        case .array(let elements): return .array(try elements.map(restored))
        case .object(let object) where object.members.count == 2:
            guard let type = object["type"]?.string, type == buffer || type == vsBuffer,
                let base64 = object["base64"]?.string
            else { return value }
            guard let bytes = Base64.decode(base64) else {
                throw CommandFailure("the base64 of a \(type) is not base64", .validationFailure)
            }
            return type == buffer ? .buffer(bytes) : .vsBuffer(bytes)
        default: return value
        }
    }

    // MARK: Writing

    /// A value in one line, without a line feed.
    static func line(_ value: IPCValue) -> String {
        text(value, indentation: nil)
    }

    /// A value in many lines, for people.
    static func pretty(_ value: IPCValue) -> String {
        text(value, indentation: 0)
    }

    private static func text(_ value: IPCValue, indentation: Int?) -> String {
        var output: [UInt8] = []
        append(value, indentation, to: &output)
        return PrintableText.escaped(String(decoding: output, as: UTF8.self), keeping: "\n")
    }

    private static func append(_ value: IPCValue, _ indentation: Int?, to output: inout [UInt8]) {
        switch value {
        case .undefined: append("null", to: &output)
        case .buffer(let bytes): append(object(buffer, bytes), to: &output)
        case .vsBuffer(let bytes): append(object(vsBuffer, bytes), to: &output)
        case .array(let elements):
            list("[", elements, "]", indentation, to: &output) { element, inner, output in
                append(element, inner, to: &output)
            }
        case .object(let object):
            let members = object.members.filter { $0.value != .undefined }
            list("{", members, "}", indentation, to: &output) { member, inner, output in
                JSONText.append(.string(member.key), to: &output)
                append(inner == nil ? ":" : ": ", to: &output)
                append(member.value, inner, to: &output)
            }
        case .null, .bool, .int, .number, .string: JSONText.append(value, to: &output)
        }
    }

    private static func list<Element>(
        _ opening: String,
        _ elements: [Element],
        _ closing: String,
        _ indentation: Int?,
        to output: inout [UInt8],
        _ body: (Element, Int?, inout [UInt8]) -> Void
    ) {
        append(opening, to: &output)
        let inner = indentation.map { $0 + 2 }
        for (index, element) in elements.enumerated() {
            if index > 0 { append(",", to: &output) }
            newLine(inner, to: &output)
            body(element, inner, &output)
        }
        if !elements.isEmpty { newLine(indentation, to: &output) }
        append(closing, to: &output)
    }

    private static func newLine(_ indentation: Int?, to output: inout [UInt8]) {
        guard let indentation else { return }
        append("\n" + String(repeating: " ", count: indentation), to: &output)
    }

    private static func object(_ type: String, _ bytes: [UInt8]) -> String {
        "{\"type\":\"\(type)\",\"base64\":\"\(Base64.encode(bytes))\"}"
    }

    private static func append(_ text: String, to output: inout [UInt8]) {
        output += text.utf8
    }
}
