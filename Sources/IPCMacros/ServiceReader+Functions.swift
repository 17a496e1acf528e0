// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftDiagnostics
internal import SwiftSyntax
internal import SwiftSyntaxBuilder

extension ServiceReader {
    mutating func readFunction(_ function: FunctionDeclSyntax, into service: inout Service) {
        checkModifiers(function.modifiers)
        checkParameters(of: function)
        let token = function.name
        let (name, renamed) = name(token, function.attributes)
        let result = function.signature.returnClause?.type
        // What just returns something, by the name of an event, may be one of a type that is not known here.
        let mayBeEvent = name.isEvent && function.signature.effectSpecifiers == nil
        if let result, EventType(result).isKnown || mayBeEvent && !EventType(result).isOther {
            checkEvent(function, result, name, renamed)
            let event = Service.Event(
                name: token.trimmed,
                wireName: name,
                type: result,
                signature: function.signature
            )
            service.events.append(event)
        } else {
            if name.isEvent {
                report(.methodNamedAsEvent(name.text), at: token)
            } else {
                checkEffects(of: function)
            }
            let method = Service.Method(
                name: token.trimmed,
                wireName: name,
                signature: function.signature,
                result: result.flatMap { $0.isVoid ? nil : $0 }
            )
            service.methods.append(method)
        }
    }

    private mutating func checkParameters(of function: FunctionDeclSyntax) {
        if let generics = function.genericParameterClause { report(.genericRequirement, at: generics) }
        for parameter in function.signature.parameterClause.parameters {
            if let ellipsis = parameter.ellipsis { report(.variadicParameter, at: ellipsis) }
            var type = parameter.type
            if let attributed = type.as(AttributedTypeSyntax.self) {
                let specifiers = attributed.specifiers.compactMap { $0.as(SimpleTypeSpecifierSyntax.self) }
                if let specifier = specifiers.first(where: { $0.specifier.tokenKind == .keyword(.inout) }) {
                    report(.inoutParameter, at: specifier)
                }
                type = attributed.baseType
            }
            if type.unparenthesized.is(FunctionTypeSyntax.self) { report(.closureParameter, at: parameter.type) }
            if let opaque = type.unparenthesized.as(SomeOrAnyTypeSyntax.self),
                opaque.someOrAnySpecifier.tokenKind == .keyword(.some)
            {
                report(.genericRequirement, at: opaque)
            }
        }
    }

    private mutating func checkEvent(
        _ function: FunctionDeclSyntax,
        _ result: TypeSyntax,
        _ name: WireName,
        _ renamed: TokenSyntax?
    ) {
        checkSequence(result)
        let signature = function.signature
        if let effects = signature.effectSpecifiers {
            let plain = signature.with(\.effectSpecifiers, nil)
            report(.eventWithEffects, at: effects, fixIt: .replace("remove '\(effects.trimmed)'", signature, plain))
        }
        let count = signature.parameterClause.parameters.count
        if name.isDynamicEvent {
            if count != 1 { report(.dynamicEventArguments(count), at: signature.parameterClause) }
        } else if count == 0 {
            let event = name.isEvent ? WireName(function.name) : WireName(function.name).asEvent
            let property = DeclSyntax("var \(raw: event.text): \(result.trimmed) { get }")
                .with(\.leadingTrivia, function.leadingTrivia)
                .with(\.trailingTrivia, function.trailingTrivia)
            let fixIt = renamed.map { _ in FixIt.replace("make it a property", function, property) }
            report(.eventWithoutArgument(name.text), at: function.name, fixIt: fixIt)
        } else {
            let dynamic = name.asDynamicEvent
            report(
                .functionNotNamedAsDynamicEvent(name.text, suggestion: dynamic.text),
                at: function.name,
                fixIt: renamed.map { .rename($0, to: dynamic) }
            )
            if count > 1 { report(.dynamicEventArguments(count), at: signature.parameterClause) }
        }
    }

    private mutating func checkEffects(of function: FunctionDeclSyntax) {
        let signature = function.signature
        let effects = signature.effectSpecifiers
        if let thrown = effects?.throwsClause, let type = thrown.type, type.trimmedDescription != "any Error" {
            let untyped = ThrowsClauseSyntax(throwsSpecifier: thrown.throwsSpecifier)
                .with(\.trailingTrivia, thrown.trailingTrivia)
            report(.typedThrows, at: thrown, fixIt: .replace("remove the type", thrown, untyped))
        }
        var missing: [String] = []
        if effects?.asyncSpecifier == nil { missing.append("async") }
        if effects?.throwsClause == nil { missing.append("throws") }
        guard !missing.isEmpty else { return }
        var complete = effects ?? FunctionEffectSpecifiersSyntax()
        if complete.asyncSpecifier == nil { complete.asyncSpecifier = .keyword(.async, trailingTrivia: .space) }
        if complete.throwsClause == nil {
            complete.asyncSpecifier?.trailingTrivia = .space
            complete.throwsClause = ThrowsClauseSyntax(throwsSpecifier: .keyword(.throws, trailingTrivia: .space))
        }
        var fixed = signature.with(\.effectSpecifiers, complete)
        fixed.parameterClause.trailingTrivia = .space
        if signature.returnClause == nil { fixed.trailingTrivia = signature.trailingTrivia }
        let what = missing.joined(separator: " ")
        report(.methodEffects(missing: what), at: function.name, fixIt: .replace("add '\(what)'", signature, fixed))
    }
}
