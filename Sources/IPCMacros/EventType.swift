// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftSyntax

/// What can be told of an event's type from how it is written: a macro sees no more.
struct EventType {
    /// What a client makes of an ``Event``: the type as written, or a concrete one for `any AsyncSequence`.
    let made: String
    /// Whether it is known to be an event. A name that is not may still stand for one.
    let isKnown: Bool
    /// Whether it is known to be something else.
    let isOther: Bool
    /// Whether an `any AsyncSequence` lacks its `& Sendable`.
    let lacksSendable: Bool
    /// Whether an `any AsyncSequence` lacks its element and failure types.
    let lacksElement: Bool

    init(_ type: TypeSyntax) {
        var made = type.trimmedDescription
        var sequence: IdentifierTypeSyntax?
        var isSendable = true
        if let existential = type.unparenthesized.as(SomeOrAnyTypeSyntax.self) {
            let parts = existential.constraint.unparenthesized.components
            sequence = parts.lazy.compactMap { $0.as(IdentifierTypeSyntax.self) }.first {
                $0.name.text == "AsyncSequence"
            }
            isSendable = parts.contains { $0.isNamed("Sendable") }
        }
        let arguments = sequence?.genericArgumentClause?.arguments.map(\.argument.trimmedDescription) ?? []
        if arguments.count == 2 {
            // A stream can do without errors; an event cannot.
            made = arguments[1] == "Never" ? "AsyncStream<\(arguments[0])>" : "IPC.Event<\(arguments[0])>"
        }
        self.made = made
        isKnown = sequence != nil || ["Event", "AsyncStream", "AsyncThrowingStream"].contains { type.isNamed($0) }
        isOther = type.isVoid || type.isBuiltIn
        lacksSendable = sequence != nil && !isSendable
        lacksElement = sequence != nil && arguments.count != 2
    }
}

extension TypeSyntax {
    /// The type without parentheses around it.
    var unparenthesized: TypeSyntax {
        guard let tuple = self.as(TupleTypeSyntax.self), tuple.elements.count == 1, let element = tuple.elements.first,
            element.firstName == nil
        else { return self }
        return element.type.unparenthesized
    }

    /// The parts of a composition, or the type itself.
    var components: [TypeSyntax] {
        self.as(CompositionTypeSyntax.self)?.elements.map(\.type.unparenthesized) ?? [self]
    }

    /// Whether it is a type of that name, of whatever module and generic arguments.
    func isNamed(_ name: String) -> Bool {
        self.as(IdentifierTypeSyntax.self)?.name.text == name || self.as(MemberTypeSyntax.self)?.name.text == name
    }

    /// Whether it is one of those that have a syntax of their own, or that everybody knows.
    fileprivate var isBuiltIn: Bool {
        switch unparenthesized.kind {
        case .optionalType, .arrayType, .dictionaryType, .tupleType, .functionType: true
        default: ["Bool", "Double", "IPCString", "IPCValue", "Int", "String"].contains { unparenthesized.isNamed($0) }
        }
    }

    /// Whether it is written as nothing.
    var isVoid: Bool {
        let type = unparenthesized
        return type.isNamed("Void") || type.as(TupleTypeSyntax.self)?.elements.isEmpty == true
    }
}
