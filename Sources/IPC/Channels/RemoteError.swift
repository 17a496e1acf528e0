// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// An Error that a peer answered a call with (PROTOCOL 3.3).
public struct RemoteError: Error, Sendable, Hashable {
    /// The name, such as `TypeError`; nil when the peer sent none.
    public var name: IPCString?
    /// What went wrong; empty when the peer sent none.
    public var message: IPCString
    /// The stack, its lines joined; nil when the peer sent none.
    public var stack: IPCString?

    /// Creates an error.
    public init(name: IPCString?, message: IPCString, stack: IPCString? = nil) {
        self.name = name
        self.message = message
        self.stack = stack
    }

    /// Reads the body of a 202 as VS Code does; whatever is missing or of another type is absent.
    ///
    /// - Parameter body: Normally an object with `message`, `name` and `stack`; of anything else an empty Error is made.
    ///   (VS Code never settles the call when it is `undefined` or `null`. Here it fails.)
    public init(body: IPCValue) {
        name = Self.text(body["name"])
        message = Self.text(body["message"]) ?? ""
        switch body["stack"] {
        case .array(let lines):
            // A line may hold any text but no line feed, so joining what they print as loses only lone surrogates.
            stack = IPCString(lines.compactMap { Self.text($0)?.description }.joined(separator: "\n"))
        case let other:
            stack = Self.text(other)
        }
    }

    private static func text(_ value: IPCValue?) -> IPCString? {
        if case .string(let text) = value { text } else { nil }
    }
}

extension RemoteError: CustomStringConvertible {
    /// Name and message, as JavaScript prints an Error.
    public var description: String {
        let name = name?.description ?? "Error"
        return message.wtf8.isEmpty ? name : "\(name): \(message)"
    }
}

extension RemoteError {
    /// What a handler fails with that was told to stop.
    public static let canceled = Self(name: "Canceled", message: "Canceled")

    /// What a service fails with that has no such command (PROTOCOL 6.2).
    public static func methodNotFound(_ command: IPCString) -> Self {
        Self(name: "CodeExpectedError", message: IPCString("Method not found: \(command)"))
    }

    /// What a service fails with that has no such event. It never travels.
    public static func eventNotFound(_ event: IPCString) -> Self {
        Self(name: "CodeExpectedError", message: IPCString("Event not found: \(event)"))
    }
}
