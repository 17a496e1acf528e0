// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The keys from a value inwards, as a list that is only made into an array when an error needs it.
final class CodingPathLink {
    private let parent: CodingPathLink?
    private let key: any CodingKey

    init(parent: CodingPathLink?, key: any CodingKey) {
        self.parent = parent
        self.key = key
    }

    /// The keys, outermost first.
    var keys: [any CodingKey] {
        var keys: [any CodingKey] = [key]
        var link = parent
        while let current = link {
            keys.append(current.key)
            link = current.parent
        }
        return keys.reversed()
    }
}

/// The place of an element in an array.
struct IndexKey: CodingKey {
    let index: Int

    init(_ index: Int) {
        self.index = index
    }

    init(intValue: Int) {
        index = intValue
    }

    init?(stringValue: String) {
        return nil
    }

    var intValue: Int? { index }
    var stringValue: String { "Index \(index)" }
}

/// Any name of a member.
struct NameKey: CodingKey {
    let stringValue: String

    /// What a class calls the part its superclass encodes.
    static let superclass = NameKey(stringValue: "super")

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init(intValue: Int) {
        stringValue = String(intValue)
    }

    var intValue: Int? { Int(stringValue) }
}
