// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

/// Accepts nothing for a moment when the system cannot accept, most often because the process has run out of
/// descriptors.
///
/// SwiftNIO's own `AcceptBackoffHandler` only holds later reads back: the socket stays watched, and the loop tries again
/// at once, thousands of times a second (2.101).
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any NIOCore.Channel

    private static let duration = TimeAmount.milliseconds(100)

    private var resumption: Scheduled<Void>?

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that has given up before it was accepted is no reason to let the others wait.
        if let error = error as? IOError, error.errnoCode == SystemCalls.connectionAborted { return }
        guard resumption == nil, context.channel.isActive else { return }
        setAccepting(false, context)
        resumption = context.eventLoop.assumeIsolated().scheduleTask(in: Self.duration) {
            self.resumption = nil
            self.setAccepting(true, context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        resumption?.cancel()
        resumption = nil
    }

    private func setAccepting(_ isAccepting: Bool, _ context: ChannelHandlerContext) {
        // Fails only when the channel is closed.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isAccepting)
    }
}

@available(*, unavailable)
extension AcceptPause: Sendable {}
