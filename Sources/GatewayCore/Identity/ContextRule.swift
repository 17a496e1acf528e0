// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Which context a client gets.
public enum ContextRule: Sendable {
    /// The gateway assigns this text, whatever the client announces.
    case assigned(ContextTemplate)
    /// The gateway assigns an object with these members, in this order, whatever the client announces.
    case assignedObject([ContextMember<ContextTemplate>])
    /// The client announces a text, which must match one of these patterns.
    case announced([Glob])
    /// The client announces an object with exactly these members; each is a text that matches one of its patterns.
    case announcedObject([ContextMember<[Glob]>])

    /// The fields of the certificate whose values the context needs.
    public var fields: Set<IdentityField> {
        switch self {
        case .assigned(let template): template.fields
        case .assignedObject(let members): members.reduce(into: []) { $0.formUnion($1.value.fields) }
        case .announced, .announcedObject: []
        }
    }
}

/// A member of a context that is an object.
public struct ContextMember<Value: Sendable & Hashable>: Sendable, Hashable {
    /// The member's name.
    public var key: IPCString
    /// What is known of its value.
    public var value: Value

    /// Makes a member.
    public init(key: IPCString, value: Value) {
        self.key = key
        self.value = value
    }
}
