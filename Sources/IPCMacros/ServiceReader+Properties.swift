// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftDiagnostics
internal import SwiftSyntax
internal import SwiftSyntaxBuilder

extension ServiceReader {
    mutating func readVariable(_ variable: VariableDeclSyntax, into service: inout Service) {
        checkModifiers(variable.modifiers)
        for binding in variable.bindings {
            guard let token = binding.pattern.as(IdentifierPatternSyntax.self)?.identifier,
                let type = binding.typeAnnotation?.type
            else { continue }  // The compiler complains about these.
            let (name, renamed) = name(token, variable.attributes)
            checkName(name, of: token, type, renamed)
            checkSequence(type)
            checkAccessors(of: binding)
            service.events.append(Service.Event(name: token.trimmed, wireName: name, type: type, signature: nil))
        }
    }

    private mutating func checkName(
        _ name: WireName,
        of token: TokenSyntax,
        _ type: TypeSyntax,
        _ renamed: TokenSyntax?
    ) {
        if name.isDynamicEvent {
            report(.propertyNamedAsDynamicEvent(name.text), at: token)
        } else if !name.isEvent, EventType(type).isKnown {
            let fixIt = renamed.map { FixIt.rename($0, to: name.asEvent) }
            report(.propertyNotNamedAsEvent(name.text, suggestion: name.asEvent.text), at: token, fixIt: fixIt)
        } else if !name.isEvent || EventType(type).isOther {
            report(.propertyNotEvent(name.text), at: token)
        }
    }

    /// Refuses an `any AsyncSequence` that does not say enough.
    mutating func checkSequence(_ type: TypeSyntax) {
        let event = EventType(type)
        if event.lacksElement {
            report(.untypedSequence, at: type)
        } else if event.lacksSendable {
            let sendable = TypeSyntax("\(type.trimmed) & Sendable").with(\.trailingTrivia, type.trailingTrivia)
            report(.sequenceNotSendable, at: type, fixIt: .replace("add '& Sendable'", type, sendable))
        }
    }

    private mutating func checkAccessors(of binding: PatternBindingSyntax) {
        guard case .accessors(let accessors) = binding.accessorBlock?.accessors else { return }
        for accessor in accessors {
            if accessor.accessorSpecifier.tokenKind == .keyword(.set) {
                let others = accessors.filter { $0.id != accessor.id }
                report(.settableProperty, at: accessor, fixIt: .replace("remove 'set'", accessors, others))
            } else if let effects = accessor.effectSpecifiers {
                let plain = accessor.with(\.effectSpecifiers, nil)
                report(.eventWithEffects, at: effects, fixIt: .replace("remove '\(effects.trimmed)'", accessor, plain))
            }
        }
    }
}
