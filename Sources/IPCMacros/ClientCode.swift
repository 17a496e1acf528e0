// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftSyntax
internal import SwiftSyntaxBuilder

/// Writes the client of a service.
struct ClientCode {
    let service: Service

    var declaration: DeclSyntax {
        let access = service.memberAccess
        let members = service.methods.map(method) + service.events.map(event)
        return """
            /// Calls a ``\(raw: service.name.text)`` at the other end of a channel.
            \(raw: service.typePrefix)nonisolated struct \(raw: service.typeName("Client")): \(raw: service.name.text) {
                private let ipcProxy: IPC.ServiceSupport.Proxy

                /// Creates a client.
                ///
                /// - Parameters:
                ///   - channel: The channel of the service.
                ///   - context: What comes before the parameters of each call.
                \(raw: access)init(_ channel: any IPC.Channel, context: IPC.IPCValue? = nil) {
                    self.ipcProxy = IPC.ServiceSupport.Proxy(channel, context: context)
                }
            \(raw: members.map { "\n\($0)\n" }.joined())}
            """
    }

    private func method(_ method: Service.Method) -> String {
        var arguments = [method.wireName.literal]
        arguments += method.signature.named.parameterClause.parameters.map(\.reference)
        if let result = method.result { arguments.append("returning: (\(result.trimmedDescription)).self") }
        return """
                \(service.memberAccess)func \(method.name.text)\(method.signature.named.description) {
                    try await ipcProxy.call(\(arguments.joined(separator: ", ")))
                }
            """
    }

    private func event(_ event: Service.Event) -> String {
        let parameters = event.signature?.named.parameterClause.parameters.map(\.reference) ?? []
        let arguments = [event.wireName.literal] + parameters
        let head =
            if let signature = event.signature {
                "func \(event.name.text)\(signature.named.description)"
            } else {
                "var \(event.name.text): \(event.type.trimmedDescription)"
            }
        return """
                \(service.memberAccess)\(head) {
                    \(EventType(event.type).made)(ipcProxy.event(\(arguments.joined(separator: ", "))))
                }
            """
    }
}

extension WireName {
    /// The name as a string literal.
    var literal: String {
        StringLiteralExprSyntax(content: text).description
    }
}
