// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

extension IPCValue {
    /// An object.
    static func members(_ members: [(String, IPCValue)]) -> IPCValue {
        .object(IPCObject(members.map { IPCObject.Member(key: IPCString($0.0), value: $0.1) }))
    }

    /// A text, or null.
    static func text(_ text: String?) -> IPCValue {
        text.map { IPCValue($0) } ?? .null
    }

    /// Nanoseconds as seconds.
    static func seconds(_ nanoseconds: some BinaryInteger) -> IPCValue {
        IPCValue(Double(nanoseconds) / 1e9)
    }

    /// Counts by name, sorted.
    static func counts(_ counts: [String: Int]) -> IPCValue {
        .members(counts.sorted { $0.key < $1.key }.map { ($0.key, IPCValue($0.value)) })
    }
}
