// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// The forms in which buffers travel (PROTOCOL 2.2).
enum BufferForms {
    /// What becomes of a Node `Buffer` in an object.
    static func object(ofBuffer bytes: [UInt8]) -> IPCValue {
        ["type": "Buffer", "data": .array(bytes.map { .int(Int32($0)) })]
    }

    /// What becomes of a `VSBuffer` in an object.
    static func object(ofVSBuffer bytes: [UInt8]) -> IPCValue {
        ["buffer": object(ofBuffer: bytes), "byteLength": IPCValue(bytes.count)]
    }

    /// Writes a buffer where the protocol carries one.
    static func encode(_ value: IPCValue, to encoder: any Encoder) throws {
        if let node = encoder as? EncodingNode, node.isInObject {
            throw EncodingError.invalidValue(
                value,
                EncodingError.Context(
                    codingPath: node.codingPath,
                    debugDescription:
                        "The protocol carries buffers at the top level and in arrays that are in no object; "
                        + "in an object VS Code would find a plain object instead of the buffer."
                )
            )
        }
        try value.encode(to: encoder)
    }

    /// Reads a buffer, of whichever kind and in whichever form.
    static func decode<T>(_ type: T.Type, from decoder: any Decoder) throws -> [UInt8] {
        let value = try IPCValue(from: decoder)
        switch value {
        case .buffer(let bytes), .vsBuffer(let bytes):
            return bytes
        case .object(let object):
            guard let bytes = bytes(of: object) else {
                throw DecodingError.corrupted(decoder.codingPath, "The object is not what becomes of a buffer.")
            }
            return bytes
        default:
            throw DecodingError.mismatch(type, expected: "a buffer", found: value, decoder.codingPath)
        }
    }

    private static func bytes(of object: IPCObject) -> [UInt8]? {
        if let inner = object["buffer"]?.object {
            guard let bytes = bytesOfBuffer(inner), object["byteLength"] == IPCValue(bytes.count) else { return nil }
            return bytes
        }
        return bytesOfBuffer(object)
    }

    private static func bytesOfBuffer(_ object: IPCObject) -> [UInt8]? {
        guard object["type"] == "Buffer", let elements = object["data"]?.array else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(elements.count)
        for element in elements {
            guard case .int(let int) = element, let byte = UInt8(exactly: int) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}
