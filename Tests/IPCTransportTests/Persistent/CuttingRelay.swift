// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A line between clients and a server that a test cuts, stalls, or takes away.
final class CuttingRelay: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var accepted = 0
        var isDown = false
        var isStalled = false
        /// After so many more bytes the line is cut, again and again.
        var cutAfter: [Int] = []
        var resets = false
    }

    let port: Int
    private let listener: any Channel
    private let state: NIOLockedValueBox<State>

    /// Leads to a port of this machine.
    init(to target: Int) async throws {
        let state = NIOLockedValueBox(State())
        let group = MultiThreadedEventLoopGroup.singleton
        listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                let isDown = state.withLockedValue { state in
                    state.accepted += 1
                    return state.isDown
                }
                guard !isDown else { return channel.close() }
                return ClientBootstrap(group: channel.eventLoop)
                    .connect(host: "127.0.0.1", port: target)
                    .flatMapThrowing { other in
                        try channel.pipeline.syncOperations.addHandler(Line(to: other, state))
                        try other.pipeline.syncOperations.addHandler(Line(to: channel, state))
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = listener.localAddress?.port ?? 0
        self.state = state
    }

    /// How many connections have come.
    var accepted: Int { state.withLockedValue { $0.accepted } }

    /// Cuts all lines, with a reset or an end of file.
    func cut(reset: Bool = true) {
        let channels = state.withLockedValue { Array($0.channels.values) }
        for channel in channels { Self.close(channel, reset: reset) }
    }

    /// Cuts the line after so many bytes, whichever way they go, and then after so many more, and so on.
    func cut(after bytes: [Int]) {
        state.withLockedValue { $0.cutAfter = bytes }
    }

    /// How many of those cuts are still to come.
    var cutsLeft: Int { state.withLockedValue { $0.cutAfter.count } }

    /// Takes the line away, or gives it back.
    func setDown(_ isDown: Bool) {
        state.withLockedValue { $0.isDown = isDown }
        if isDown { cut() }
    }

    /// Swallows what comes, or not any more.
    func setStalled(_ isStalled: Bool) {
        state.withLockedValue { $0.isStalled = isStalled }
    }

    func close() async {
        try? await listener.close()
        cut()
    }

    private static func close(_ channel: any Channel, reset: Bool) {
        if reset, let socket = channel as? any SocketOptionProvider {
            socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
        } else {
            channel.close(promise: nil)
        }
    }

    /// One direction of a line.
    private final class Line: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let other: any Channel
        private let state: NIOLockedValueBox<State>
        private var isCut = false

        init(to other: any Channel, _ state: NIOLockedValueBox<State>) {
            self.other = other
            self.state = state
        }

        func handlerAdded(context: ChannelHandlerContext) {
            let channel = context.channel
            state.withLockedValue { $0.channels[ObjectIdentifier(channel)] = channel }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            guard !isCut, !state.withLockedValue({ $0.isStalled }) else { return }
            let mustCut = state.withLockedValue { state in
                guard let left = state.cutAfter.first else { return false }
                state.cutAfter[0] = left - bytes.readableBytes
                guard left <= bytes.readableBytes else { return false }
                state.cutAfter.removeFirst()
                bytes = bytes.readSlice(length: max(left, 0)) ?? bytes
                return true
            }
            other.writeAndFlush(bytes, promise: nil)
            guard mustCut else { return }
            isCut = true
            CuttingRelay.close(other, reset: false)
            CuttingRelay.close(context.channel, reset: state.withLockedValue { $0.cutAfter.count % 2 == 0 })
        }

        func channelInactive(context: ChannelHandlerContext) {
            let channel = context.channel
            state.withLockedValue { $0.channels[ObjectIdentifier(channel)] = nil }
            other.close(promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
