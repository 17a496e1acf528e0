// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOPosix

/// A Unix socket that passes every connection on to another one, byte for byte, and shows what passes.
///
/// Everything happens on one event loop, so what is shown is in order. Each side is read only as fast as the other one
/// takes it, and as the observer returns; the end of one direction is passed on behind its bytes.
package final class UnixTap: Sendable {
    /// What happens on a connection; connections are numbered from 1.
    package enum Happening: Sendable {
        /// A client has connected, and the server could be reached.
        case opened
        /// Bytes went one way. They have been passed on already.
        case bytes([UInt8], fromClient: Bool)
        /// One side has finished, in order.
        case ended(fromClient: Bool)
        /// The connection is over.
        case closed
        /// The server cannot be reached, or one side is lost; `closed` follows.
        case failed(String)
    }

    /// Is told what happens, on the event loop: while it does not return, nothing passes.
    package typealias Observer = @Sendable (_ connection: Int, Happening) -> Void

    private static let backlog: Int32 = 128

    private let channel: any NIOCore.Channel
    private let file: UnixListeningSocket

    private init(channel: any NIOCore.Channel, file: UnixListeningSocket) {
        self.channel = channel
        self.file = file
    }

    /// Listens.
    ///
    /// - Parameters:
    ///   - path: Where clients connect to. A socket's file that nobody listens at any more is replaced.
    ///   - server: The socket that their connections are passed on to.
    ///   - mode: Who may connect, as a file's mode.
    ///   - observer: Is told what happens.
    /// - Throws: ``ListenError``.
    package static func open(
        _ path: String,
        server: String,
        mode: UInt32 = 0o600,
        observer: @escaping Observer
    ) async throws -> UnixTap {
        try UnixListeningSocket.checkLength(server)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let file = try UnixListeningSocket.open(path: path, mode: mode, owner: nil, backlog: backlog)
        let numbers = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: loop)
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Without descriptors those who connect wait.
                    let handler = AcceptBackoffHandler(shouldForwardIOErrorCaught: false) { _ in .milliseconds(100) }
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    numbers.value += 1
                    let number = numbers.value
                    try TapSide.install(in: channel, server: server) { observer(number, $0) }
                }
            }
        do {
            return UnixTap(channel: try await bootstrap.withBoundSocket(file.descriptor).get(), file: file)
        } catch {
            file.removeFile()
            throw ListenError(.failed, "cannot listen on unix:\(path): \(error)")
        }
    }

    /// Stops listening and removes the socket's file. Connections go on.
    package func close() async {
        file.removeFile()
        try? await channel.close()
    }
}
