// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Calls of a server that do no harm when they are made twice, by the names of channels and commands.
public struct IdempotentCalls: Sendable {
    /// They are found like those that rules allow.
    private let table: AccessPolicy

    /// Compiles patterns.
    ///
    /// - Parameter calls: Patterns for channels, and for each the patterns for its commands.
    public init(_ calls: [(channel: Glob, commands: [Glob])]) {
        table = AccessPolicy(rules: calls.map { AccessPolicy.Rule(channel: $0.channel, call: $0.commands) })
    }

    /// Whether a call is one of them.
    ///
    /// - Parameters:
    ///   - channel: The channel's name, UTF-8.
    ///   - command: The command's name, UTF-8.
    public func contains(channel: Span<UInt8>, command: Span<UInt8>) -> Bool {
        // Only conditions look at the argument, and there are none.
        table.judge(.call, channel: channel, name: command, argument: Span(), limits: IPCLimits()).isAllowed
    }
}
