// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftDiagnostics
internal import SwiftSyntax
internal import SwiftSyntaxMacros

/// What can be wrong with a service.
enum ServiceProblem: DiagnosticMessage, Equatable {
    case notAProtocol
    case notSendable(String)
    case inheritance(String)
    case unsupportedMember(String)
    case staticRequirement
    case mutatingRequirement
    case genericRequirement
    case inoutParameter
    case variadicParameter
    case closureParameter
    case duplicateName(String)
    case thenable
    case propertyNotEvent(String)
    case propertyNotNamedAsEvent(String, suggestion: String)
    case propertyNamedAsDynamicEvent(String)
    case settableProperty
    case eventWithEffects
    case untypedSequence
    case sequenceNotSendable
    case functionNotNamedAsDynamicEvent(String, suggestion: String)
    case eventWithoutArgument(String)
    case dynamicEventArguments(Int)
    case methodNamedAsEvent(String)
    case methodEffects(missing: String)
    case typedThrows
    case nameWithoutService
    case nameNotLiteral

    var severity: DiagnosticSeverity { .error }

    var diagnosticID: MessageID {
        // The case without its values.
        MessageID(domain: "IPCMacros", id: String("\(self)".prefix { $0 != "(" }))
    }

    var message: String {
        switch self {
        case .notAProtocol:
            "@IPCService makes a client and a channel of a protocol: attach it to one"
        case .notSendable(let name):
            "\(name) must be Sendable: it is called from any task"
        case .inheritance(let name):
            "a service can inherit from Sendable only: what '\(name)' requires, @IPCService does not see"
        case .unsupportedMember(let what):
            "\(what) cannot be part of a service, which has methods and events"
        case .staticRequirement:
            "a static requirement cannot be called by a peer, which has an instance"
        case .mutatingRequirement:
            "a service is shared by all who call it: it cannot be mutating"
        case .genericRequirement:
            "a generic method cannot be called by a peer, which does not know the types"
        case .inoutParameter:
            "an 'inout' parameter cannot travel; return what changes"
        case .variadicParameter:
            "a variadic parameter cannot travel; take an array"
        case .closureParameter:
            "a closure cannot travel; use an event"
        default:
            namingMessage
        }
    }

    /// What the naming rules of VS Code's `ProxyChannel` have to say.
    private var namingMessage: String {
        switch self {
        case .duplicateName(let name):
            "'\(name)' is there already: only base names travel, so give this one another with @IPCName(\"…\")"
        case .thenable:
            "JavaScript calls 'then' when it awaits a proxy; name it otherwise"
        case .propertyNotEvent(let name):
            "'\(name)' is a property but not an event, and only events can be properties; make it a method"
        case .propertyNotNamedAsEvent(let name, let suggestion):
            "the event '\(name)' must be named 'on' and a capital, such as '\(suggestion)'"
        case .propertyNamedAsDynamicEvent(let name):
            "'\(name)' is a name for events with an argument: name it otherwise, or make it a function with one parameter"
        case .settableProperty:
            "an event cannot be set"
        case .eventWithEffects:
            "an event is there at once: it cannot be 'async' or throw"
        case .untypedSequence:
            "name the payload: 'any AsyncSequence<Payload, any Error> & Sendable'"
        case .sequenceNotSendable:
            "a sequence must be Sendable to be an event"
        case .functionNotNamedAsDynamicEvent(let name, let suggestion):
            "'\(name)' returns an event, so it must be named 'onDynamic' and a capital, such as '\(suggestion)'"
        case .eventWithoutArgument(let name):
            "the event '\(name)' takes nothing: make it a property"
        case .dynamicEventArguments(let count):
            "an event takes one argument, not \(count)"
        case .methodNamedAsEvent(let name):
            "'\(name)' is named like an event but is none: name it otherwise"
        case .methodEffects(let missing):
            "a method must be 'async throws': it waits for a peer, which may fail or go away; '\(missing)' is missing"
        case .typedThrows:
            "a method must throw any error: a connection has errors of its own"
        case .nameWithoutService:
            "@IPCName names a method or an event of a protocol with @IPCService"
        case .nameNotLiteral:
            "@IPCName takes a string literal that is not empty"
        default:
            ""
        }
    }

    /// The problem, at a place.
    func diagnostic(at node: some SyntaxProtocol, notes: [Note] = [], fixIts: [FixIt] = []) -> Diagnostic {
        Diagnostic(node: node, message: self, notes: notes, fixIts: fixIts)
    }
}

extension FixIt {
    /// Another node instead of one.
    static func replace(_ message: String, _ old: some SyntaxProtocol, _ new: some SyntaxProtocol) -> FixIt {
        .replace(message: MacroExpansionFixItMessage(message), oldNode: old, newNode: new)
    }

    /// Another name.
    static func rename(_ token: TokenSyntax, to name: WireName) -> FixIt {
        .replace("name it '\(name.text)'", token, token.with(\.tokenKind, .identifier(name.text)))
    }
}
