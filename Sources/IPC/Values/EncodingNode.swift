// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// What one value writes into while it encodes itself.
///
/// Elements and members that encode themselves get a node of their own and are finished at once; nested containers and
/// superclasses write later, so that a place is kept for them.
final class EncodingNode {
    private enum Content {
        case nothing
        case single(IPCValue)
        case array([IPCValue])
        case object([IPCObject.Member])
        /// A second container of another kind than the first; told when the value is finished.
        case conflict
    }

    /// The type of the keys with which a `Dictionary` encodes itself. It has no public name, so one is asked.
    private static let dictionaryKey: ObjectIdentifier? = {
        let probe = EncodingNode(parentPath: nil, key: nil, isInObject: false, userInfo: [:])
        try? ["": 0].encode(to: probe)
        return probe.keyType
    }()

    /// Whether the value is, however deep, in an object, where the protocol has nothing but JSON.
    let isInObject: Bool
    let userInfo: [CodingUserInfoKey: Any]
    private let parentPath: CodingPathLink?
    private let key: (any CodingKey)?
    private var content = Content.nothing
    private var keyType: ObjectIdentifier?
    /// Who still writes what belongs at an index of the array or the members.
    private var unfinished: [(index: Int, node: EncodingNode)] = []

    /// The way to this value; made when something in it needs it.
    private lazy var path: CodingPathLink? =
        if let key { CodingPathLink(parent: parentPath, key: key) } else { parentPath }

    init(
        parentPath: CodingPathLink?,
        key: (any CodingKey)?,
        isInObject: Bool,
        userInfo: [CodingUserInfoKey: Any]
    ) {
        self.parentPath = parentPath
        self.key = key
        self.isInObject = isInObject
        self.userInfo = userInfo
    }

    /// The way to a value in this one.
    func codingPath(to key: any CodingKey) -> [any CodingKey] {
        codingPath + [key]
    }

    /// Returns what was encoded.
    func finish() throws -> IPCValue {
        let nodes = unfinished
        unfinished = []
        switch content {
        case .nothing:
            return .object(IPCObject())
        case .single(let value):
            return value
        case .array(var elements):
            content = .nothing
            for (index, node) in nodes {
                elements[index] = try node.finish()
            }
            return .array(elements)
        case .object(var members):
            content = .nothing
            for (index, node) in nodes {
                members[index].value = try node.finish()
            }
            if let keyType, keyType == Self.dictionaryKey {
                members.sort { $0.key.wtf8.lexicographicallyPrecedes($1.key.wtf8) }
            }
            return .object(IPCObject(members))
        case .conflict:
            throw EncodingError.invalidValue(
                self,
                EncodingError.Context(
                    codingPath: codingPath,
                    debugDescription: "The value asked for containers of different kinds, or encoded two values."
                )
            )
        }
    }
}

// The array.
extension EncodingNode {
    var count: Int {
        if case .array(let elements) = content { elements.count } else { 0 }
    }

    func openArray() {
        switch content {
        case .nothing: content = .array([])
        case .array: break
        default: content = .conflict
        }
    }

    func append(_ value: IPCValue) {
        guard case .array(var elements) = content else { return }
        // Without this the elements would have two owners and be copied.
        content = .nothing
        elements.append(value)
        content = .array(elements)
    }

    func append<T: Encodable>(encoding value: T) throws {
        if let plain = try PlainValue.encode(value, path: codingPath(to: IndexKey(count))) {
            return append(plain)
        }
        let node = child(IndexKey(count), isInObject: isInObject)
        try value.encode(to: node)
        append(try node.finish())
    }

    /// Keeps a place for what somebody writes later.
    func appendPlace() -> EncodingNode {
        let index = count
        let node = child(IndexKey(index), isInObject: isInObject)
        append(.undefined)
        unfinished.append((index, node))
        return node
    }
}

// The object.
extension EncodingNode {
    func openObject(_ keyType: any CodingKey.Type) {
        self.keyType = ObjectIdentifier(keyType)
        switch content {
        case .nothing: content = .object([])
        case .object: break
        default: content = .conflict
        }
    }

    func set(_ value: IPCValue, at key: any CodingKey) {
        guard case .object(var members) = content else { return }
        content = .nothing
        members.append(IPCObject.Member(key: IPCString(key.stringValue), value: value))
        content = .object(members)
    }

    func set<T: Encodable>(encoding value: T, at key: any CodingKey) throws {
        if let plain = try PlainValue.encode(value, path: codingPath(to: key)) {
            return set(plain, at: key)
        }
        let node = child(key, isInObject: true)
        try value.encode(to: node)
        set(try node.finish(), at: key)
    }

    /// Keeps a place for what somebody writes later.
    func setPlace(at key: any CodingKey) -> EncodingNode {
        let node = child(key, isInObject: true)
        if case .object(let members) = content {
            unfinished.append((members.count, node))
            set(.undefined, at: key)
        }
        return node
    }

    private func child(_ key: any CodingKey, isInObject: Bool) -> EncodingNode {
        EncodingNode(parentPath: path, key: key, isInObject: isInObject, userInfo: userInfo)
    }
}

extension EncodingNode: Encoder {
    var codingPath: [any CodingKey] { path?.keys ?? [] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        openObject(type)
        return KeyedEncodingContainer(KeyedEncoding(node: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        openArray()
        return UnkeyedEncoding(node: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        self
    }
}

extension EncodingNode: SingleValueEncodingContainer {
    /// Takes what the whole value is.
    func set(_ value: IPCValue) {
        if case .nothing = content {
            content = .single(value)
        } else {
            content = .conflict
        }
    }

    func encodeNil() {
        set(isInObject ? .null : .undefined)
    }

    func encode<T: Encodable>(_ value: T) throws {
        if let plain = try PlainValue.encode(value, path: codingPath) {
            set(plain)
        } else {
            try value.encode(to: self)
        }
    }

    func encode(_ value: Int128) throws {
        set(try PlainValue.encode(integer: value, codingPath))
    }

    func encode(_ value: UInt128) throws {
        set(try PlainValue.encode(integer: value, codingPath))
    }
}
