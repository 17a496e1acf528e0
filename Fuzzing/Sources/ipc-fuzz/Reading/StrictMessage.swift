// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// A message as an independent strict reader has it: a header, and exactly one value behind it.
struct StrictMessage: Equatable {
    private static let elementCounts: [Int32: Int] = [
        100: 4, 101: 2, 102: 4, 103: 2, 200: 1, 201: 2, 202: 2, 203: 2, 204: 2,
    ]

    var kind: Int32
    var id: UInt64
    var names: [[UInt8]] = []
    var body: Tree

    /// Reads a message; nil for one that is not written as VS Code writes it.
    init?(_ message: [UInt8], limits: IPCLimits) {
        guard message.first == 4 else { return nil }
        var reader = StrictReader(message, at: 1, limits: limits)
        guard let count = reader.integer(), message[safe: reader.position] == 6,
            case .number(let number)? = reader.readValue(), let expected = Self.elementCounts[Int32(number)],
            Int(count) == expected
        else { return nil }
        kind = Int32(number)
        id = 0
        if expected > 1 {
            guard let id = Self.readID(&reader) else { return nil }
            self.id = id
        }
        for _ in 2..<max(2, expected) {
            guard message[safe: reader.position] == 1, case .text(let name)? = reader.readValue() else { return nil }
            names.append(name)
        }
        // The elements of the header count.
        var rest = StrictReader(message, at: reader.position, elements: expected, limits: limits)
        guard let body = rest.readOnly() else { return nil }
        self.body = body
    }

    /// Up to 2³¹−1 an integer, from there to 2⁵³−1 decimal digits as JSON.
    private static func readID(_ reader: inout StrictReader) -> UInt64? {
        let tag = reader.bytes[safe: reader.position]
        let start = reader.position
        guard tag == 5 || tag == 6, case .number(let number)? = reader.readValue(), number >= 0,
            let id = UInt64(exactly: number), id <= 1 << 53 - 1
        else { return nil }
        if tag == 6 { return id }
        let text = reader.bytes[start + 2..<reader.position]
        return id > UInt64(Int32.max) && text.elementsEqual(String(id).utf8) ? id : nil
    }

    /// Whether the library has read the same.
    func equals(_ message: DecodedMessage) -> Bool {
        func matches(_ kind: Int32, _ id: UInt64, _ names: [IPCString], _ body: IPCValue?) -> Bool {
            self.kind == kind && self.id == id && self.names == names.map(\.wtf8)
                && body.map { self.body.equals($0) } != false
        }
        return switch message {
        case .call(let id, let channel, let name, let body): matches(100, id, [channel, name], body)
        case .cancel(let id): matches(101, id, [], nil)
        case .listen(let id, let channel, let name, let body): matches(102, id, [channel, name], body)
        case .unlisten(let id): matches(103, id, [], nil)
        case .initialize: matches(200, 0, [], nil)
        case .success(let id, let body): matches(201, id, [], body)
        case .failure(let id, let body): matches(202, id, [], body)
        case .failureValue(let id, let body): matches(203, id, [], body)
        case .event(let id, let body): matches(204, id, [], body)
        }
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
