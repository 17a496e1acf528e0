// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftParser
internal import SwiftSyntax

/// A protocol, understood.
struct Service {
    /// A command.
    struct Method {
        let name: TokenSyntax
        let wireName: WireName
        let signature: FunctionSignatureSyntax
        /// What it returns; nil for nothing.
        let result: TypeSyntax?
    }

    /// An event; a dynamic one has a signature.
    struct Event {
        let name: TokenSyntax
        let wireName: WireName
        let type: TypeSyntax
        let signature: FunctionSignatureSyntax?
    }

    /// The name of the protocol, as written.
    let name: TokenSyntax
    /// `public `, `package `, or nothing: what members need to be as visible as the protocol.
    let memberAccess: String
    /// What stands before `struct`: attributes and access.
    let typePrefix: String
    var methods: [Method] = []
    var events: [Event] = []

    init(_ declaration: ProtocolDeclSyntax) {
        name = declaration.name.trimmed
        let access = declaration.modifiers.first {
            ["public", "package", "internal", "fileprivate", "private"].contains($0.name.text)
        }
        let written = access.map { $0.name.text + " " } ?? ""
        memberAccess = ["public ", "package "].contains(written) ? written : ""
        var available = ""
        for case .attribute(let attribute) in declaration.attributes where attribute.attributeName.isNamed("available")
        {
            available += attribute.trimmedDescription + "\n"
        }
        typePrefix = available + written
    }

    /// Whether the base name of a method is that of another one too, so that only its types tell which it is.
    func isOverloaded(_ method: Method) -> Bool {
        methods.count { $0.name.text == method.name.text } > 1
    }

    /// What a generated type is called.
    func typeName(_ suffix: String) -> String {
        (name.identifier?.name ?? name.text) + suffix
    }
}

extension FunctionSignatureSyntax {
    /// The signature with a name for each parameter that has none.
    var named: Self {
        var parameters = parameterClause.parameters
        for (offset, index) in zip(0..., parameters.indices) {
            guard (parameters[index].secondName ?? parameters[index].firstName).tokenKind == .wildcard else { continue }
            parameters[index].firstName.trailingTrivia = .space
            parameters[index].secondName = .identifier("ipcParameter\(offset)")
        }
        return with(\.parameterClause.parameters, parameters).trimmed
    }
}

extension FunctionParameterSyntax {
    /// Its name within the function, fit to be an expression.
    var reference: String {
        let name = WireName(secondName ?? firstName).text
        return name.isValidSwiftIdentifier(for: .variableName) ? name : "`\(name)`"
    }

    /// Its name within the function, to be read by people.
    var title: String {
        WireName(secondName ?? firstName).text
    }

    /// What stands before an argument: the label with a colon, or nothing.
    var labelPrefix: String {
        guard firstName.tokenKind != .wildcard else { return "" }
        let name = WireName(firstName).text
        // Keywords need their back-quotes elsewhere, but here the compiler complains about them.
        let isPlain = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        return "\(isPlain && name != "inout" ? name : firstName.text): "
    }
}
