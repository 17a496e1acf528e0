// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Writes values byte for byte as VS Code does (PROTOCOL 2.2).
public enum ValueEncoder {
    /// Encodes a value.
    ///
    /// Some values come back as others, as with VS Code: NaN and the infinities as `null`, −0 as 0, a lone surrogate in a
    /// string outside objects as U+FFFD, buffers inside objects as plain objects, `undefined` in arrays inside objects as
    /// `null`, and `undefined` members not at all.
    ///
    /// - Parameter value: The value.
    /// - Returns: Its bytes.
    /// - Precondition: No string, buffer or object is longer than 2³¹−1 bytes.
    public static func encode(_ value: IPCValue) -> [UInt8] {
        var output: [UInt8] = []
        append(value, to: &output)
        return output
    }

    /// Encodes a value.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - output: What its bytes are appended to.
    /// - Precondition: No string, buffer or object is longer than 2³¹−1 bytes.
    public static func append(_ value: IPCValue, to output: inout [UInt8]) {
        switch value {
        case .undefined:
            output.append(ValueTag.undefined)
        case .int(let int):
            output.append(ValueTag.int)
            VQL.append(int, to: &output)
        case .number(let double):
            if let int = Int32(whole: double) {
                output.append(ValueTag.int)
                VQL.append(int, to: &output)
            } else {
                appendJSON(value, to: &output)
            }
        case .string(let text):
            appendBytes(text.repairedUTF8, tag: ValueTag.string, to: &output)
        case .buffer(let bytes):
            appendBytes(bytes, tag: ValueTag.buffer, to: &output)
        case .vsBuffer(let bytes):
            appendBytes(bytes, tag: ValueTag.vsBuffer, to: &output)
        case .array(let elements):
            output.append(ValueTag.array)
            VQL.appendCount(elements.count, to: &output)
            for element in elements {
                append(element, to: &output)
            }
        case .null, .bool, .object:
            appendJSON(value, to: &output)
        }
    }

    private static func appendJSON(_ value: IPCValue, to output: inout [UInt8]) {
        var text: [UInt8] = []
        JSONText.append(value, to: &text)
        appendBytes(text, tag: ValueTag.object, to: &output)
    }

    private static func appendBytes(_ bytes: [UInt8], tag: UInt8, to output: inout [UInt8]) {
        output.append(tag)
        VQL.appendCount(bytes.count, to: &output)
        output.append(contentsOf: bytes)
    }
}
