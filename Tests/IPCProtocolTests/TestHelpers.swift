// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol

/// Runs something that may refuse its input; returns why it did.
func wireError(_ body: () throws(WireError) -> Void) -> WireError? {
    do throws(WireError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// The reason the walker refuses bytes, nil when it accepts them.
func walkError(_ bytes: [UInt8], limits: IPCLimits = IPCLimits()) -> WireError? {
    wireError { () throws(WireError) in try ValueWalker.validate(bytes.span, limits: limits) }
}

/// The reason a message is refused, nil when it is accepted.
func inspectError(_ bytes: [UInt8], limits: IPCLimits = IPCLimits()) -> WireError? {
    wireError { () throws(WireError) in _ = try InspectedMessage(bytes.span, limits: limits) }
}

/// The reason a JSON text is refused, nil when it is accepted.
func jsonError(_ text: String, maxDepth: Int = 512) -> WireError? {
    let bytes = Array(text.utf8)
    return wireError { () throws(WireError) in
        try JSONText.validate(bytes.span, in: 0..<bytes.count, maxDepth: maxDepth)
    }
}

/// Arrays inside arrays, the innermost holding `undefined`.
func nestedArrays(_ depth: Int) -> [UInt8] {
    Array(repeatElement([4, 1], count: depth).joined()) + [0]
}

extension SeededGenerator {
    /// A random value of all kinds, small, its arrays and objects nested up to `depth`.
    mutating func value(depth: Int = 4) -> IPCValue {
        switch Int.random(in: 0..<(depth > 0 ? 12 : 9), using: &self) {
        case 0: .undefined
        case 1: .null
        case 2: .bool(.random(using: &self))
        case 3: .int(Int32(truncatingIfNeeded: next()))
        case 4: .int(.random(in: -200...200, using: &self))
        case 5: .number(Double(bitPattern: next()))
        case 6: .string(text())
        case 7: .buffer(bytes())
        case 8: .vsBuffer(bytes())
        case 9, 10: .array((0..<Int.random(in: 0...4, using: &self)).map { _ in value(depth: depth - 1) })
        default:
            .object(
                IPCObject(
                    (0..<Int.random(in: 0...4, using: &self)).map { _ in
                        IPCObject.Member(key: text(), value: value(depth: depth - 1))
                    }
                )
            )
        }
    }

    /// A random text, with surrogates of which some have no partner.
    mutating func text() -> IPCString {
        let units = (0..<Int.random(in: 0...6, using: &self)).map { _ -> UInt16 in
            switch Int.random(in: 0..<5, using: &self) {
            case 0: .random(in: 0...0x7f, using: &self)
            case 1: .random(in: 0x30...0x39, using: &self)
            case 2: .random(in: 0xd800...0xdfff, using: &self)
            default: UInt16(truncatingIfNeeded: next())
            }
        }
        return IPCString(utf16: units)
    }

    /// A few random bytes.
    mutating func bytes() -> [UInt8] {
        (0..<Int.random(in: 0...5, using: &self)).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Bytes with a few random changes.
    mutating func mutated(_ original: [UInt8]) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...3, using: &self) {
            let place = Int.random(in: 0...bytes.count, using: &self)
            switch Int.random(in: 0..<4, using: &self) {
            case 0: bytes.insert(UInt8(truncatingIfNeeded: next()), at: place)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2: bytes.removeSubrange(place...)
            default:
                if place < bytes.count {
                    bytes[place] = Bool.random(using: &self) ? UInt8(truncatingIfNeeded: next()) : UInt8(next() % 8)
                }
            }
        }
        return bytes
    }
}
