// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftSyntax
internal import SwiftSyntaxBuilder

/// Writes the channel that offers a service.
///
/// Types of the protocol are inferred in it rather than named: here `Context` is another type than there.
struct ChannelCode {
    let service: Service

    var declaration: DeclSyntax {
        let access = service.memberAccess
        let name = service.name.text
        return """
            /// Offers a ``\(raw: name)``.
            \(raw: service.typePrefix)nonisolated struct \(raw: service.typeName("Channel"))<Context: Sendable>: IPC.ServerChannel {
                private let ipcService: @Sendable (Context) -> any \(raw: name)

                /// Offers one service to all who call.
                \(raw: access)init(_ service: some \(raw: name)) {
                    self.ipcService = { _ in service }
                }

                /// Offers each caller a service of its own, found anew for each request.
                \(raw: access)init(_ service: @escaping @Sendable (_ caller: Context) -> any \(raw: name)) {
                    self.ipcService = service
                }

                /// Calls the method of that name.
                \(raw: access)func call(
                    _ context: Context,
                    _ command: IPC.IPCString,
                    _ argument: IPC.IPCValue
                ) async throws -> IPC.IPCValue {
                    switch command {
            \(raw: service.methods.map { $0.code(namingTypes: service.isOverloaded($0)) + "\n" }.joined())        default:
                        throw IPC.RemoteError.methodNotFound(command)
                    }
                }
            \(raw: listen)}
            """
    }

    /// Nothing where there are no events: a channel has none unless it says so.
    private var listen: String {
        guard !service.events.isEmpty else { return "" }
        return """

                /// Gives the event of that name.
                \(service.memberAccess)func listen(
                    _ context: Context,
                    _ event: IPC.IPCString,
                    _ argument: IPC.IPCValue
                ) throws -> IPC.Event<IPC.IPCValue> {
                    switch event {
            \(service.events.map { $0.code + "\n" }.joined())        default:
                        throw IPC.RemoteError.eventNotFound(event)
                    }
                }

            """
    }
}

extension Service.Method {
    /// How a channel answers the command.
    fileprivate func code(namingTypes: Bool) -> String {
        let parameters = signature.parameterClause.parameters
        var lines = ["case \(wireName.literal):"]
        if !parameters.isEmpty {
            lines.append("    let parameters = try IPC.ServiceSupport.Parameters(argument, of: command)")
        }
        let arguments = zip(0..., parameters).map { index, parameter in
            let type = namingTypes ? ", as: (\(parameter.type.trimmedDescription)).self" : ""
            return "\(parameter.labelPrefix)parameters.decode(\(index), \(parameter.titleLiteral)\(type))"
        }
        var call = "ipcService(context).\(name.text)(\(arguments.joined(separator: ", ")))"
        if let result, namingTypes { call += " as \(result.trimmedDescription)" }
        if result == nil {
            lines.append("    try await \(call)")
            lines.append("    return .undefined")
        } else {
            lines.append("    return try await IPC.ServiceSupport.result(\(call))")
        }
        return lines.map { "        " + $0 }.joined(separator: "\n")
    }
}

extension Service.Event {
    /// How a channel finds the event.
    fileprivate var code: String {
        var lines = ["case \(wireName.literal):"]
        if let parameter = signature?.parameterClause.parameters.first {
            lines.append("    return try IPC.ServiceSupport.event(")
            lines.append("        of: ipcService(context).\(name.text)(")
            lines.append(
                "            \(parameter.labelPrefix)IPC.ServiceSupport.argument"
                    + "(argument, of: event, \(parameter.titleLiteral))"
            )
            lines.append("        )")
            lines.append("    )")
        } else {
            lines.append("    return IPC.ServiceSupport.event(of: ipcService(context).\(name.text))")
        }
        return lines.map { "        " + $0 }.joined(separator: "\n")
    }
}

extension FunctionParameterSyntax {
    /// Its title as a string literal.
    fileprivate var titleLiteral: String {
        secondName?.tokenKind == .wildcard || secondName == nil && firstName.tokenKind == .wildcard
            ? "nil" : WireName(title).literal
    }
}
