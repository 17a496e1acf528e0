// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import NIOCore

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#else
internal import Darwin
#endif

extension PlainConnection {
    /// Who is at the other end of a Unix socket.
    struct PeerCredentials: Sendable {
        /// The process that has connected; 0 where the system does not tell.
        var process: UInt32
        /// Its user when it connected.
        var user: UInt32
    }

    /// Asks the kernel who has connected. On the event loop the answer is there at once.
    func peerCredentials() -> EventLoopFuture<PeerCredentials> {
        guard let provider = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        #if os(Linux)
        // struct ucred, which Glibc's module does not have: process, user, group, of 32 bits each (unix(7)).
        let credentials: EventLoopFuture<(UInt32, UInt32, UInt32)> = provider.unsafeGetSocketOption(
            level: .socket,
            name: .init(rawValue: SO_PEERCRED)
        )
        return credentials.map { PeerCredentials(process: $0.0, user: $0.1) }
        #else
        // SOL_LOCAL, LOCAL_PEERCRED (unix(4)).
        let credentials: EventLoopFuture<xucred> = provider.unsafeGetSocketOption(
            level: .init(rawValue: 0),
            name: .init(rawValue: LOCAL_PEERCRED)
        )
        return credentials.map { PeerCredentials(process: 0, user: $0.cr_uid) }
        #endif
    }
}
