// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftDiagnostics
internal import SwiftSyntax
internal import SwiftSyntaxMacros

/// Understands a protocol as a service, and finds what is wrong with it.
struct ServiceReader {
    private(set) var diagnostics: [Diagnostic] = []
    /// Where each name was first.
    private var places: [WireName: TokenSyntax] = [:]

    mutating func read(_ declaration: ProtocolDeclSyntax) -> Service {
        var service = Service(declaration)
        checkInheritance(of: declaration)
        if let types = declaration.primaryAssociatedTypeClause {
            report(.unsupportedMember("an associated type"), at: types)
        }
        for member in declaration.memberBlock.members {
            read(member.decl, into: &service)
        }
        return service
    }

    mutating func report(
        _ problem: ServiceProblem,
        at node: some SyntaxProtocol,
        notes: [Note] = [],
        fixIt: FixIt? = nil
    ) {
        diagnostics.append(problem.diagnostic(at: node, notes: notes, fixIts: fixIt.map { [$0] } ?? []))
    }

    private mutating func checkInheritance(of declaration: ProtocolDeclSyntax) {
        let inherited = declaration.inheritanceClause?.inheritedTypes ?? []
        for type in inherited where !type.type.isNamed("Sendable") && !type.type.isNamed("SendableMetatype") {
            report(.inheritance(type.type.trimmedDescription), at: type.type)
        }
        guard !inherited.contains(where: { $0.type.isNamed("Sendable") }) else { return }
        let name = declaration.name
        var fixIt: FixIt?
        if inherited.isEmpty {
            let inheriting = TokenSyntax.identifier("\(name.text): Sendable", trailingTrivia: name.trailingTrivia)
            fixIt = .replace("inherit from Sendable", name, inheriting)
        }
        report(.notSendable(name.text), at: name, fixIt: fixIt)
    }

    private mutating func read(_ member: DeclSyntax, into service: inout Service) {
        switch member.as(DeclSyntaxEnum.self) {
        case .functionDecl(let function): readFunction(function, into: &service)
        case .variableDecl(let variable): readVariable(variable, into: &service)
        case .typeAliasDecl: break
        case .subscriptDecl: report(.unsupportedMember("a subscript"), at: member)
        case .initializerDecl: report(.unsupportedMember("an initializer"), at: member)
        case .associatedTypeDecl: report(.unsupportedMember("an associated type"), at: member)
        case .ifConfigDecl: report(.unsupportedMember("what is conditional"), at: member)
        default: report(.unsupportedMember("this"), at: member)
        }
    }

    /// What a requirement is called on the wire.
    ///
    /// - Returns: The name; and the token to rename, unless the name is given by an attribute.
    mutating func name(
        _ token: TokenSyntax,
        _ attributes: AttributeListSyntax
    ) -> (name: WireName, renamed: TokenSyntax?) {
        let custom = attributes.first(named: "IPCName").flatMap { WireName(literalOf: $0) }
        let name = custom ?? WireName(token)
        if let first = places[name] {
            let note = Note(node: Syntax(first), message: MacroExpansionNoteMessage("the first one"))
            report(.duplicateName(name.text), at: token, notes: [note])
        } else {
            places[name] = token
        }
        if name.text == "then" { report(.thenable, at: token) }
        return (name, custom == nil ? token : nil)
    }

    /// Refuses what makes a requirement belong to a type, or to a value that changes.
    mutating func checkModifiers(_ modifiers: DeclModifierListSyntax) {
        for modifier in modifiers {
            switch modifier.name.tokenKind {
            case .keyword(.static), .keyword(.class): report(.staticRequirement, at: modifier)
            case .keyword(.mutating): report(.mutatingRequirement, at: modifier)
            default: break
            }
        }
    }
}
