// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import NIOCore
internal import NIOPosix

extension PlainConnection {
    /// Takes over a channel that is connected, such as one of a program that uses SwiftNIO itself.
    ///
    /// Its handlers stay in front, so what they give and take must be bytes (`ByteBuffer`). Nothing may have been read
    /// that belongs to the protocol, so set `autoRead` to false until then.
    ///
    /// - Parameters:
    ///   - channel: The channel, which belongs to the connection from now on.
    ///   - options: Bounds and deadlines; the threads are those of the channel.
    public static func adopt(
        _ channel: any NIOCore.Channel,
        options: TransportOptions = TransportOptions()
    ) async throws -> PlainConnection {
        try await channel.eventLoop.submit {
            let setup = ChannelSetup(options: options)
            try setup.apply(to: channel)
            return PlainConnection(channel: channel, handler: try setup.install(in: channel))
        }.get()
    }

    /// Takes over a stream socket that is connected, inherited from another process perhaps.
    ///
    /// - Parameters:
    ///   - descriptor: The socket, which belongs to the connection from now on.
    ///   - options: Bounds, deadlines and threads.
    public static func adopt(
        descriptor: Int32,
        options: TransportOptions = TransportOptions()
    ) async throws -> PlainConnection {
        let channel = try await ClientBootstrap(group: options.eventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try ChannelSetup(options: options).apply(to: channel) }
            }
            .withConnectedSocket(descriptor)
            .get()
        return try await adopt(channel, options: options)
    }
}
