// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization

/// The thread of a ``BadLink``.
final class LinkLoop {
    private let listener: Int32
    private let wakeUp: Int32
    private let shared: BadLink.Shared
    private var serverPort: UInt16
    private var quality: LinkQuality
    private var generator: SeededGenerator
    private var connections: [LinkConnection] = []
    private var counts = BadLink.Counts()
    private var isAccepting = true
    private var isStopping = false
    private var darkUntil: UInt64 = 0
    private var stallAt = UInt64.max
    /// The cut of the next connection, where it was ordered before there was one.
    private var nextCut: (way: LinkQuality.Cut, bytes: Int, direction: BadLink.Direction)?

    init(
        listener: Int32,
        wakeUp: Int32,
        serverPort: UInt16,
        quality: LinkQuality,
        seed: UInt64,
        shared: BadLink.Shared
    ) {
        self.listener = listener
        self.wakeUp = wakeUp
        self.serverPort = serverPort
        self.quality = quality
        self.shared = shared
        generator = SeededGenerator(seed: seed)
    }

    func run() {
        drawStall(now: PersistentPeer.now)
        while !isStopping {
            wait()
            let now = PersistentPeer.now
            if now >= stallAt { stall(now: now) }
            publish()
        }
        for connection in connections { connection.end(reset: true) }
        connections = []
        publish()
        close(listener)
        close(wakeUp)
        shared.isStopped.withLock { $0 = true }
    }

    private func wait() {
        let start = PersistentPeer.now
        let isDark = start < darkUntil
        var polls = [
            pollfd(fd: wakeUp, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isDark ? -1 : listener, events: Int16(POLLIN), revents: 0),
        ]
        var deadline = stallAt
        if isDark {
            deadline = min(deadline, darkUntil)
        } else {
            for connection in connections {
                polls += connection.polls(quality, now: start)
                deadline = min(deadline, connection.nextDeadline(now: start))
            }
        }
        let nanoseconds = deadline > start ? deadline - start : 0
        _ = poll(
            &polls,
            nfds_t(polls.count),
            deadline == .max ? -1 : Int32(clamping: (nanoseconds + 999_999) / 1_000_000)
        )
        if polls[0].revents != 0 {
            var bytes = [UInt8](repeating: 0, count: 256)
            _ = read(wakeUp, &bytes, bytes.count)
        }
        let now = PersistentPeer.now
        obey(now: now)
        guard !isDark else { return }
        for (index, connection) in connections.enumerated() {
            let revents = [polls[2 + 2 * index].revents, polls[3 + 2 * index].revents]
            let before = connection.pipes.map(\.delivered)
            let wasCut = connection.isCut
            connection.handle(revents, quality, now: now, &generator)
            counts.bytesToServer += connection.pipes[0].delivered - before[0]
            counts.bytesToClient += connection.pipes[1].delivered - before[1]
            counts.cuts += connection.isCut && !wasCut ? 1 : 0
        }
        collect()
        if polls[1].revents != 0 { accept(now: now) }
    }

    private func collect() {
        counts.refused += connections.count { $0.phase == .over && $0.isRefused && !$0.isCut }
        connections.removeAll { $0.phase == .over }
    }

    private func accept(now: UInt64) {
        while true {
            let descriptor = Glibc.accept(listener, nil, nil)
            guard descriptor >= 0 else { return }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            let client = LinkSocket(descriptor)
            // What was ordered before it was made holds for it.
            obey(now: now)
            guard isAccepting else {
                client.resetOnClose()
                continue
            }
            counts.connections += 1
            let connection = LinkConnection(client: client, server: LinkSocket.connect(port: serverPort))
            drawCuts(connection, now: now)
            connections.append(connection)
        }
    }

    private func drawCuts(_ connection: LinkConnection, now: UInt64) {
        let way = quality.cuts.randomElement(using: &generator) ?? .reset
        if let range = quality.cutAfterBytes {
            let bytes = Int.random(in: range, using: &generator)
            connection.cut(way, after: max(1, bytes), of: Int.random(in: 0...1, using: &generator), now: now)
        }
        if let range = quality.cutAfter {
            connection.cutAt = now + UInt64(Int.random(in: range, using: &generator)) * 1_000_000
            connection.cutWay = way
        }
        if let next = nextCut {
            nextCut = nil
            connection.cut(next.way, after: next.bytes, of: next.direction == .toServer ? 0 : 1, now: now)
            counts.cuts += connection.isCut ? 1 : 0
        }
    }

    private func obey(now: UInt64) {
        let orders = shared.orders.withLock { orders in
            defer { orders = [] }
            return orders
        }
        for order in orders { obey(order, now: now) }
    }

    private func obey(_ order: BadLink.Order, now: UInt64) {
        switch order {
        case .cutAll(let way):
            let open = connections.filter { $0.phase == .open }
            for connection in open { connection.cut(way, now: now) }
            counts.cuts += open.count
        case .cutAfter(let way, let bytes, let direction):
            guard let connection = connections.last(where: { $0.phase == .open }) else {
                nextCut = (way, bytes, direction)
                return
            }
            connection.cut(way, after: bytes, of: direction == .toServer ? 0 : 1, now: now)
            counts.cuts += connection.isCut ? 1 : 0
        case .blackOut(let nanoseconds):
            darkUntil = max(darkUntil, now + nanoseconds)
            counts.stalls += 1
        case .lightUp: darkUntil = 0
        case .quality(let quality):
            self.quality = quality
            drawStall(now: now)
        case .accepting(let isAccepting): self.isAccepting = isAccepting
        case .target(let port): serverPort = port
        case .stop: isStopping = true
        }
    }

    private func drawStall(now: UInt64) {
        stallAt = quality.stallEvery.map { now + UInt64(Int.random(in: $0, using: &generator)) * 1_000_000 } ?? .max
    }

    private func stall(now: UInt64) {
        let length = UInt64(Int.random(in: quality.stallLength, using: &generator)) * 1_000_000
        darkUntil = max(darkUntil, now + length)
        counts.stalls += 1
        drawStall(now: darkUntil)
    }

    private func publish() {
        counts.live = connections.count { $0.phase == .open }
        counts.silent = connections.count { $0.phase == .silent }
        shared.counts.withLock { $0 = counts }
    }
}
