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

    /// The body of a 202: members in VS Code's order, the stack as an array of lines (PROTOCOL 3.3).
    public var body: IPCValue {
        var object: IPCObject = ["message": .string(message)]
        if let name { object["name"] = .string(name) }
        if let stack {
            // Lone surrogates have no line feed in them either, so the bytes can be cut.
            let lines = stack.wtf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            object["stack"] = .array(lines.map { IPCValue(String(decoding: $0, as: UTF8.self)) })
        }
        return .object(object)
    }

    private static func text(_ value: IPCValue?) -> IPCString? {
        if case .string(let text) = value { text } else { nil }
    }
}

extension RemoteError: CustomStringConvertible {
    /// Name and message, as JavaScript prints an Error.
    public var description: String {
        let name = name?.description ?? "Error"
        if message.wtf8.isEmpty { return name }
        return name.isEmpty ? message.description : "\(name): \(message)"
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

extension RemoteError {
    /// The Error that a handler's error becomes.
    ///
    /// - Parameter error: A `RemoteError` is taken as it is, a `CancellationError` becomes VS Code's `Canceled`, and
    ///   anything else an Error with the type as its name and the description as its message.
    public init(reporting error: any Error) {
        switch error {
        case let error as RemoteError: self = error
        case is CancellationError: self = .canceled
        default: self.init(name: IPCString("\(type(of: error))"), message: IPCString("\(error)"))
        }
    }
}
