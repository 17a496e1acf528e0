// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A plain object: members in JavaScript's order.
///
/// Keys that are array indexes (decimal, below 2³²−1) come first, in numeric order; the others in order of insertion. Of
/// two members with one key the last value wins, at the place of the first. Two objects are equal when they have the same
/// members in the same order.
public struct IPCObject: Sendable, Hashable {
    /// A key and its value.
    public struct Member: Sendable, Hashable {
        /// The key.
        public var key: IPCString
        /// The value; `undefined` members exist, but are left out when written.
        public var value: IPCValue

        /// Creates a member.
        public init(key: IPCString, value: IPCValue) {
            self.key = key
            self.value = value
        }
    }

    /// The members, in JavaScript's order.
    public private(set) var members: [Member]

    /// Creates an object without members.
    public init() {
        members = []
    }

    /// Creates an object from members in order of insertion, in time linear in their number.
    public init(_ members: [Member]) {
        self.members = Self.withoutDuplicates(members)
        if self.members.contains(where: { $0.key.arrayIndex != nil }) {
            self.members = Self.indexesFirst(self.members)
        }
    }

    /// The value of a member, nil where there is none; setting nil removes it. Takes time linear in the members.
    public subscript(key: IPCString) -> IPCValue? {
        get {
            members.first { $0.key == key }?.value
        }
        set {
            let place = members.firstIndex { $0.key == key }
            switch (place, newValue) {
            case (let place?, let value?):
                members[place].value = value
            case (let place?, nil):
                members.remove(at: place)
            case (nil, let value?):
                self = IPCObject(members + [Member(key: key, value: value)])
            case (nil, nil):
                break
            }
        }
    }

    private static func withoutDuplicates(_ members: [Member]) -> [Member] {
        // Few members are compared with each other; many go through a table, or a long text would take quadratic time.
        if members.count <= 8 {
            var unique: [Member] = []
            unique.reserveCapacity(members.count)
            for member in members {
                if let place = unique.firstIndex(where: { $0.key == member.key }) {
                    unique[place].value = member.value
                } else {
                    unique.append(member)
                }
            }
            return unique
        }
        var places: [IPCString: Int] = [:]
        places.reserveCapacity(members.count)
        var unique: [Member] = []
        for member in members {
            if let place = places[member.key] {
                unique[place].value = member.value
            } else {
                places[member.key] = unique.count
                unique.append(member)
            }
        }
        return unique
    }

    private static func indexesFirst(_ members: [Member]) -> [Member] {
        var indexed: [(index: UInt32, member: Member)] = []
        var named: [Member] = []
        for member in members {
            if let index = member.key.arrayIndex {
                indexed.append((index, member))
            } else {
                named.append(member)
            }
        }
        indexed.sort { $0.index < $1.index }
        return indexed.map(\.member) + named
    }
}

extension IPCObject: ExpressibleByDictionaryLiteral {
    /// Creates an object; of equal keys the last wins.
    public init(dictionaryLiteral elements: (IPCString, IPCValue)...) {
        self.init(elements.map { Member(key: $0.0, value: $0.1) })
    }
}
