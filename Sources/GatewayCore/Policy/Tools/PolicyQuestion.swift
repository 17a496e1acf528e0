// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A request that is not made but asked about.
public struct PolicyQuestion: Sendable, CustomStringConvertible {
    /// What it wants.
    public var request: AccessPolicy.Request
    /// Who asks.
    public var direction: AccessPolicy.Direction
    /// The channel's name.
    public var channel: String
    /// The command's or event's name.
    public var name: String
    /// The encoded argument.
    public var argument: [UInt8]

    /// Makes a question; the argument is `undefined` unless another is given.
    public init(
        _ request: AccessPolicy.Request,
        _ direction: AccessPolicy.Direction = .fromClient,
        channel: String,
        name: String,
        argument: [UInt8] = [0]
    ) {
        self.request = request
        self.direction = direction
        self.channel = channel
        self.name = name
        self.argument = argument
    }

    /// Takes `channel.name` apart, at the last dot; nil when one of both is missing.
    public static func split(_ text: String) -> (channel: String, name: String)? {
        let bytes = text.utf8
        guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")), dot != bytes.startIndex,
            bytes.index(after: dot) != bytes.endIndex
        else { return nil }
        return (String(text[..<dot]), String(text[bytes.index(after: dot)...]))
    }

    /// As in `call storage.get`.
    public var description: String {
        let verb = request == .call ? "call" : "listen"
        return "\(verb) \(LogText.quoted(channel)).\(LogText.quoted(name))"
            + (direction == .fromServer ? " from the server" : "")
    }
}
