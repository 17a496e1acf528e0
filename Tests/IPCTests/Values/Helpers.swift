// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol

/// Encodes a value.
func encoded(_ value: some Encodable) throws -> IPCValue {
    try IPCValueEncoder().encode(value)
}

/// Decodes a value.
func decoded<T: Decodable>(_ type: T.Type, _ value: IPCValue) throws -> T {
    try IPCValueDecoder().decode(type, from: value)
}

/// The JSON text of a value, in which the order of members shows.
func json(_ value: IPCValue) -> String? {
    JSONText.write(value).map { String(decoding: $0, as: UTF8.self) }
}

/// Why a value could not be encoded, and where; nil when it could.
func encodingFailure(_ value: some Encodable) -> String? {
    do {
        _ = try encoded(value)
        return nil
    } catch EncodingError.invalidValue(_, let context) {
        return describe("invalidValue", context.codingPath)
    } catch {
        return "\(error)"
    }
}

/// Why a value could not be decoded, and where; nil when it could.
func decodingFailure<T: Decodable>(_ type: T.Type, _ value: IPCValue) -> String? {
    do {
        _ = try decoded(type, value)
        return nil
    } catch DecodingError.typeMismatch(_, let context) {
        return describe("typeMismatch", context.codingPath)
    } catch DecodingError.valueNotFound(_, let context) {
        return describe("valueNotFound", context.codingPath)
    } catch DecodingError.keyNotFound(let key, let context) {
        return describe("keyNotFound", context.codingPath + [key])
    } catch DecodingError.dataCorrupted(let context) {
        return describe("dataCorrupted", context.codingPath)
    } catch {
        return "\(error)"
    }
}

private func describe(_ kind: String, _ path: [any CodingKey]) -> String {
    let keys = path.map { key in
        if let index = key.intValue { "[\(index)]" } else { ".\(key.stringValue)" }
    }
    return kind + " at " + (keys.isEmpty ? "the top" : keys.joined())
}
