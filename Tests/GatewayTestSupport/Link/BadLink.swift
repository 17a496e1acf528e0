// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A bad network between a client and a server: it listens on a port of its own, and carries each connection to the
/// server's port, with delays, stalls and cuts. Its port stays the same through all of them.
///
/// It works in user space, between whole TCP connections: bytes are late, or cut off anywhere, but never lost in between or
/// swapped, just as programs see it over a real network. What it draws follows from the seed; when bytes come does not.
public final class BadLink: Sendable {
    /// A direction.
    public enum Direction: Sendable, CaseIterable {
        /// From the client.
        case toServer
        /// From the server.
        case toClient
    }

    /// What has happened.
    public struct Counts: Sendable, Equatable {
        /// Connections that were accepted.
        public var connections = 0
        /// Those that are there.
        public var live = 0
        /// Those that the link cut.
        public var cuts = 0
        /// Those among them that were cut in silence, and which neither side has closed.
        public var silent = 0
        /// Those that the server's side refused.
        public var refused = 0
        /// Times at which the link went dead.
        public var stalls = 0
        /// Bytes from clients that were delivered.
        public var bytesToServer = 0
        /// Bytes from servers that were delivered.
        public var bytesToClient = 0
    }

    enum Order {
        case cutAll(LinkQuality.Cut)
        case cutAfter(LinkQuality.Cut, Int, Direction)
        case blackOut(nanoseconds: UInt64)
        case lightUp
        case quality(LinkQuality)
        case accepting(Bool)
        case target(UInt16)
        case stop
    }

    final class Shared: Sendable {
        let orders = Mutex<[Order]>([])
        let counts = Mutex(Counts())
        let isStopped = Mutex(false)
    }

    /// Where clients connect to.
    public let port: UInt16
    private let shared = Shared()
    /// The writing end of a pipe, to wake the thread.
    private let wake: Int32

    /// Starts a link.
    ///
    /// - Parameters:
    ///   - serverPort: The port of the server on the loopback interface.
    ///   - quality: How bad it is.
    ///   - seed: What it draws follows from it.
    public init(to serverPort: UInt16, quality: LinkQuality = LinkQuality(), seed: UInt64 = 0) throws(TestSupportError)
    {
        let (listener, port) = try LinkSocket.listen()
        self.port = port
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw TestSupportError.system("make a pipe") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let wakeUp = ends[0]
        wake = ends[1]
        let shared = shared
        Thread.detachNewThread {
            let loop = LinkLoop(
                listener: listener,
                wakeUp: wakeUp,
                serverPort: serverPort,
                quality: quality,
                seed: seed,
                shared: shared
            )
            loop.run()
        }
    }

    deinit {
        stop()
        close(wake)
    }

    /// What has happened so far.
    public var counts: Counts { shared.counts.withLock { $0 } }

    /// Cuts all connections that are there, now.
    public func cutAll(_ cut: LinkQuality.Cut = .reset) { order(.cutAll(cut)) }

    /// Cuts the newest connection, or if there is none the next one, when so many more bytes have been delivered.
    ///
    /// - Parameters:
    ///   - cut: In which way.
    ///   - bytes: After how many bytes; they arrive, and not one more.
    ///   - direction: Of which direction.
    public func cut(_ cut: LinkQuality.Cut = .reset, after bytes: Int, _ direction: Direction) {
        order(.cutAfter(cut, bytes, direction))
    }

    /// Lets nothing through for a while; new connections wait, too. Nothing is lost by it.
    public func blackOut(for duration: Duration) {
        let (seconds, attoseconds) = duration.components
        order(.blackOut(nanoseconds: UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)))
    }

    /// Ends a black-out.
    public func endBlackOut() { order(.lightUp) }

    /// Makes the link better or worse; connections that are there keep the cuts that were drawn for them.
    public func setQuality(_ quality: LinkQuality) { order(.quality(quality)) }

    /// Carries new connections, or resets them at once.
    public func setAccepting(_ isAccepting: Bool) { order(.accepting(isAccepting)) }

    /// Carries new connections to another port.
    public func setServerPort(_ port: UInt16) { order(.target(port)) }

    /// Ends everything, with resets, and waits until it has ended.
    public func stop() {
        order(.stop)
        try? eventually("the link stops", within: .seconds(10)) { shared.isStopped.withLock { $0 } }
    }

    private func order(_ order: Order) {
        shared.orders.withLock { $0.append(order) }
        // When the pipe is full the thread will wake up anyway.
        _ = write(wake, [1], 1)
    }
}
