// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import SwiftSyntax
public import SwiftSyntaxMacros

/// `@IPCName("…")`: says something to `@IPCService`, and generates nothing itself.
public struct IPCNameMacro: PeerMacro {
    /// Checks that there is a name, and somebody to read it.
    public static func expansion(
        of node: AttributeSyntax,
        providingPeersOf declaration: some DeclSyntaxProtocol,
        in context: some MacroExpansionContext
    ) throws -> [DeclSyntax] {
        let parent = context.lexicalContext.first?.as(ProtocolDeclSyntax.self)
        if parent?.attributes.first(named: "IPCService") == nil {
            context.diagnose(ServiceProblem.nameWithoutService.diagnostic(at: node))
        } else if WireName(literalOf: node) == nil {
            context.diagnose(ServiceProblem.nameNotLiteral.diagnostic(at: node))
        }
        return []
    }
}
