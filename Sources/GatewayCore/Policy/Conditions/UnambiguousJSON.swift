// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Reads JSON that everybody reads alike.
///
/// Of two members with one key some readers take the first and some the last. A member `__proto__` becomes the object's
/// prototype when a JavaScript server copies the object with `Object.assign`, and members appear that nobody judged.
enum UnambiguousJSON {
    /// Longer texts are not read: values take many times the room of their text.
    static let longest = 1 << 20

    /// Reads a text that is exactly one JSON value.
    ///
    /// - Returns: nil when the text is not JSON, is longer than `longest`, or holds in any object a key twice, however it
    ///   is escaped, or the key `__proto__`.
    static func parse(_ bytes: Span<UInt8>, in range: Range<Int>, maxDepth: Int) -> IPCValue? {
        guard range.count <= longest, let value = try? JSONText.parse(bytes, in: range, maxDepth: maxDepth) else {
            return nil
        }
        // The reader keeps one member for each key, so with a key twice there are fewer members than the text has.
        var count = 0
        guard countMembers(of: value, &count), count == memberCount(in: bytes, range) else { return nil }
        return value
    }

    /// Counts members at all levels; false when one is called `__proto__`.
    private static func countMembers(of value: IPCValue, _ count: inout Int) -> Bool {
        switch value {
        case .array(let elements):
            for element in elements where !countMembers(of: element, &count) { return false }
        case .object(let object):
            count += object.members.count
            for member in object.members where member.key == "__proto__" || !countMembers(of: member.value, &count) {
                return false
            }
        default:
            break
        }
        return true
    }

    /// How many members the text of valid JSON has: as many as colons outside of strings.
    private static func memberCount(in bytes: Span<UInt8>, _ range: Range<Int>) -> Int {
        var count = 0
        var position = range.lowerBound
        var isInString = false
        while position < range.upperBound {
            switch bytes[position] {
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: "\\"): position += 1
            case UInt8(ascii: ":"): count += isInString ? 0 : 1
            default: break
            }
            position += 1
        }
        return count
    }
}
