// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// What can be chosen about a connection. The defaults are VS Code's where VS Code has one.
public struct ConnectionOptions: Sendable {
    /// The bounds of what is decoded. A larger message, or one that nests deeper, ends the connection; a result that
    /// would be larger is answered with an Error. A message has 64 MiB and a little by default.
    public var limits = IPCLimits(frameBytes: 64 * 1024 * 1024 + 64 * 1024)

    /// How broken input is treated: strictly, where it ends the connection, or as VS Code's reader does, where a message
    /// that nobody can read is dropped.
    public var decoding = ValueDecoder.Mode.strict

    /// How long a request for a channel that nobody has registered waits for it. Then a call is answered with an Error.
    public var unknownChannelTimeout = Duration.milliseconds(1000)

    /// How long a server waits for a client to say who it is.
    public var contextTimeout = Duration.seconds(30)

    /// The most requests that wait for a channel, on one connection.
    public var parkedRequestLimit = 1024

    /// The most calls and subscriptions that a peer may have open at once, on one connection. More calls are answered with
    /// the Error `Busy`, more subscriptions come to nothing and are reported.
    public var openCallLimit = 65_536

    /// How many bytes of requests are kept while the peer does not read its answers; then nothing more is read from it. Also
    /// how many bytes of requests wait for a channel.
    public var heldRequestBytes = 8 * 1024 * 1024

    /// Sees every message in and out, on the thread that handles it, which may hold a lock: it must not use the connection.
    /// It slows everything down a little.
    public var trace: (@Sendable (MessageTrace) -> Void)?

    /// Hears of what the protocol has no answer for, such as a subscription to an event that does not exist.
    public var report: (@Sendable (String) -> Void)?

    /// Creates options, all at their defaults.
    public init() {}
}
