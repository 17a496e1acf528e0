// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// What the independent reader has read.
indirect enum Tree: Equatable {
    case undefined
    case null
    case bool(Bool)
    case number(Double)
    /// UTF-8; a surrogate without a partner as the three bytes it would have.
    case text([UInt8])
    case bytes(tag: UInt8, [UInt8])
    case array([Tree])
    /// Of two members with one key the last.
    case object([[UInt8]: Tree])

    /// Whether the library has read the same.
    func equals(_ value: IPCValue) -> Bool {
        switch (self, value) {
        case (.undefined, .undefined), (.null, .null): true
        case (.bool(let one), .bool(let other)): one == other
        case (.number(let one), .int(let other)): one == Double(other) && one.sign == (other < 0 ? .minus : .plus)
        case (.number(let one), .number(let other)): one.bitPattern == other.bitPattern && !Self.isInt(other)
        case (.text(let one), .string(let other)): one == other.wtf8
        case (.bytes(2, let one), .buffer(let other)), (.bytes(3, let one), .vsBuffer(let other)): one == other
        case (.array(let one), .array(let other)):
            one.count == other.count && zip(one, other).allSatisfy { $0.equals($1) }
        case (.object(let one), .object(let other)):
            one.count == other.members.count
                && other.members.allSatisfy { one[$0.key.wtf8]?.equals($0.value) == true }
        default: false
        }
    }

    private static func isInt(_ number: Double) -> Bool {
        Int32(exactly: number) != nil && (number != 0 || number.sign == .plus)
    }
}
