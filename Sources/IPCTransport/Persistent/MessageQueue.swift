// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Messages that wait, in order.
struct MessageQueue: Sendable {
    private var messages: [[UInt8]] = []
    private var head = 0
    /// Their size, with something for each of them.
    private(set) var byteCount = 0

    private static let overhead = 32

    /// Whether there are none.
    var isEmpty: Bool { head == messages.count }
    /// How many there are.
    var count: Int { messages.count - head }

    mutating func append(_ message: [UInt8]) {
        messages.append(message)
        byteCount += message.count + Self.overhead
    }

    mutating func take() -> [UInt8]? {
        guard head < messages.count else { return nil }
        let message = messages[head]
        messages[head] = []
        head += 1
        byteCount -= message.count + Self.overhead
        if head == messages.count {
            messages.removeAll(keepingCapacity: messages.count <= 64)
            head = 0
        } else if head >= 64, head >= messages.count / 2 {
            messages.removeFirst(head)
            head = 0
        }
        return message
    }
}
