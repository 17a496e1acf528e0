// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Finds members by their names.
struct MemberTable {
    let members: [IPCObject.Member]
    /// Where the names are; nil for few members, which are faster compared one by one. Many would take quadratic time.
    private let places: [IPCString: Int]?

    init(_ object: IPCObject) {
        members = object.members
        places =
            members.count <= 8
            ? nil : Dictionary(uniqueKeysWithValues: members.enumerated().map { ($0.element.key, $0.offset) })
    }

    /// The value of a member; nil where there is none, and for `undefined`, which never arrives as a member.
    subscript(name: String) -> IPCValue? {
        let key = IPCString(name)
        let value: IPCValue? =
            if let places {
                places[key].map { members[$0].value }
            } else {
                members.first { $0.key == key }?.value
            }
        return if case .undefined? = value { nil } else { value }
    }
}
