// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import SwiftSyntax
public import SwiftSyntaxMacros

/// `@IPCService`: a client and a channel for a protocol.
public struct IPCServiceMacro: PeerMacro {
    /// Generates both, or neither where something is wrong with the protocol.
    public static func expansion(
        of node: AttributeSyntax,
        providingPeersOf declaration: some DeclSyntaxProtocol,
        in context: some MacroExpansionContext
    ) throws -> [DeclSyntax] {
        guard let declaration = declaration.as(ProtocolDeclSyntax.self) else {
            context.diagnose(ServiceProblem.notAProtocol.diagnostic(at: node))
            return []
        }
        // What the compiler cannot read, it complains about itself.
        guard !declaration.hasError else { return [] }
        var reader = ServiceReader()
        let service = reader.read(declaration)
        for diagnostic in reader.diagnostics {
            context.diagnose(diagnostic)
        }
        guard reader.diagnostics.isEmpty else { return [] }
        return [ClientCode(service: service).declaration, ChannelCode(service: service).declaration]
    }
}
