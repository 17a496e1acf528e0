// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPC
internal import IPCProtocol

/// A command or an event of a channel, and what its failures mean to whoever has asked for it.
struct RemoteSubject: Sendable, CustomStringConvertible {
    let channel: String
    let name: String

    /// As in `storage.get`.
    var description: String { PrintableText.escaped("\(channel).\(name)") }

    /// What an error means.
    func failure(_ error: any Error) -> any Error {
        switch error {
        case let error as RemoteError: failure(error)
        case let failure as RemoteFailure:
            CommandFailure(
                "\(self) failed with a value that is not an Error:\n\(ValueText.line(failure.value))",
                .handlerFailedWithValue
            )
        case let end as ConnectionEnd: connectionFailure(end)
        default: error
        }
    }

    private func failure(_ error: RemoteError) -> CommandFailure {
        let message = PrintableText.escaped(error.message.description)
        switch error.name {
        case "AccessDenied":
            let hint = "what a client may do is in the gateway's configuration, clients: allow:"
            return CommandFailure("\(self) is denied: \(message)\n\(hint)", .denied)
        case "Unknown channel":
            let quoted = PrintableText.escaped(channel)
            return CommandFailure("the server has no channel '\(quoted)': \(message)", .unknownChannel)
        default:
            let whole = PrintableText.escaped(error.description, keeping: "\n")
            return CommandFailure("\(self) failed: \(whole)\(Self.frames(of: error))", .handlerFailed)
        }
    }

    /// The lines of the stack that tell more than the message.
    private static func frames(of error: RemoteError) -> String {
        guard let stack = error.stack?.description else { return "" }
        let frames = stack.split(separator: "\n").filter { $0.drop { $0 == " " }.hasPrefix("at ") }
        return frames.map { "\n" + PrintableText.escaped(String($0)) }.joined()
    }

    /// What the end of a connection means that was in use.
    func connectionFailure(_ end: ConnectionEnd) -> CommandFailure {
        CommandFailure("\(self): the connection ended: \(PrintableText.escaped(end.reason))", .inputOutput)
    }
}
