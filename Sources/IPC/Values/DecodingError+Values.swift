// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

extension DecodingError {
    /// A value of the right kind whose content does not do.
    static func corrupted(_ path: [any CodingKey], _ description: String) -> DecodingError {
        .dataCorrupted(Context(codingPath: path, debugDescription: description))
    }

    /// A value of another kind than expected; `valueNotFound` for `undefined` and `null`.
    static func mismatch(
        _ type: any Any.Type,
        expected: String,
        found value: IPCValue,
        _ path: [any CodingKey]
    ) -> DecodingError {
        let context = Context(codingPath: path, debugDescription: "Expected \(expected), found \(value.kindInProse).")
        return value.isNil ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }
}

extension IPCValue {
    /// Whether an `Optional` takes the value for nil.
    var isNil: Bool {
        switch self {
        case .undefined, .null: true
        default: false
        }
    }

    /// What the value is, for messages. Never what is in it, which may be a secret.
    fileprivate var kindInProse: String {
        switch self {
        case .undefined: "undefined"
        case .null: "null"
        case .bool: "a boolean"
        case .int, .number: "a number"
        case .string: "a string"
        case .buffer: "a Buffer (decode an IPCBuffer)"
        case .vsBuffer: "a VSBuffer (decode a VSBuffer)"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
