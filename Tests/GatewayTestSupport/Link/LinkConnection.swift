// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// One connection over a ``BadLink``: two sockets, and what is on its way between them.
final class LinkConnection {
    enum Phase {
        /// Bytes are carried.
        case open
        /// Nothing is carried any more, and neither side is told.
        case silent
        /// Both sides were told of the end; what they still send is dropped.
        case ending
        /// There is nothing left to do.
        case over
    }

    /// What is on its way in one direction.
    struct Pipe {
        var chunks: [(arrival: UInt64, bytes: ArraySlice<UInt8>)] = []
        var byteCount = 0
        /// When the last byte has left, for the bandwidth.
        var freeAt: UInt64 = 0
        var hasEnded = false
        var hasToldEnd = false
        /// How many bytes are still delivered before the connection is cut.
        var budget: Int?
        var budgetCut = LinkQuality.Cut.reset
        var delivered = 0
    }

    /// The client's and the server's; pipe 0 leads from the client to the server.
    let client: LinkSocket
    let server: LinkSocket
    var pipes = [Pipe(), Pipe()]
    private(set) var phase = Phase.open
    /// When it is cut whatever happens.
    var cutAt = UInt64.max
    var cutWay = LinkQuality.Cut.reset
    private(set) var isCut = false
    /// The server's side ended before a byte came from it: nobody listens there.
    private(set) var isRefused = false
    private var isGone = [false, false]
    private var endingUntil = UInt64.max

    init(client: consuming LinkSocket, server: consuming LinkSocket) {
        self.client = client
        self.server = server
    }

    // MARK: What is waited for

    func polls(_ quality: LinkQuality, now: UInt64) -> [pollfd] {
        (0...1).map { side in
            let descriptor = side == 0 ? client.descriptor : server.descriptor
            switch phase {
            case .open:
                let reads = !pipes[side].hasEnded && pipes[side].byteCount < quality.queueBytes
                let writes = pipes[1 - side].chunks.first.map { $0.arrival <= now } ?? false
                // A side that has ended and has nothing to take would report its end again and again.
                guard reads || writes else { return pollfd(fd: -1, events: 0, revents: 0) }
                return pollfd(fd: descriptor, events: Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), revents: 0)
            case .silent:
                return pollfd(fd: isGone[side] ? -1 : descriptor, events: Int16(0x2000), revents: 0)  // POLLRDHUP
            case .ending: return pollfd(fd: isGone[side] ? -1 : descriptor, events: Int16(POLLIN), revents: 0)
            case .over: return pollfd(fd: -1, events: 0, revents: 0)
            }
        }
    }

    /// When something is due though nothing comes.
    func nextDeadline(now: UInt64) -> UInt64 {
        switch phase {
        case .open: min(cutAt, pipes.compactMap { $0.chunks.first?.arrival }.filter { $0 > now }.min() ?? .max)
        case .ending: endingUntil
        default: .max
        }
    }

    // MARK: What happens

    func handle(_ revents: [Int16], _ quality: LinkQuality, now: UInt64, _ generator: inout SeededGenerator) {
        switch phase {
        case .open:
            for side in 0...1 where revents[side] & Int16(POLLIN | POLLHUP | POLLERR) != 0 && phase == .open {
                read(side, quality, now: now, &generator)
            }
            for side in 0...1 where phase == .open { deliver(side, now: now) }
            if now >= cutAt, phase == .open { cut(cutWay, now: now) }
        case .silent:
            for side in 0...1 where revents[side] != 0 { isGone[side] = true }
            if isGone == [true, true] { end(reset: true) }
        case .ending:
            for side in 0...1 where revents[side] != 0 { discard(side) }
            if isGone == [true, true] || now >= endingUntil { phase = .over }
        case .over: break
        }
    }

    private func read(_ side: Int, _ quality: LinkQuality, now: UInt64, _ generator: inout SeededGenerator) {
        guard !pipes[side].hasEnded, pipes[side].byteCount < quality.queueBytes else { return }
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let outcome =
            side == 0 ? client.read(into: &buffer, atMost: .max) : server.read(into: &buffer, atMost: .max)
        switch outcome {
        case .wouldBlock: break
        case .end: pipes[side].hasEnded = true
        case .error:
            isRefused = side == 1 && pipes[1].delivered == 0
            end(reset: true)
        case .bytes(let count):
            var arrival = now
            if let rate = quality.bytesPerSecond {
                pipes[side].freeAt = max(now, pipes[side].freeAt) + UInt64(count) * 1_000_000_000 / UInt64(rate)
                arrival = pipes[side].freeAt
            }
            arrival += UInt64(quality.delay + Int.random(in: quality.jitter, using: &generator)) * 1_000_000
            arrival = max(arrival, pipes[side].chunks.last?.arrival ?? 0)
            pipes[side].chunks.append((arrival, buffer[..<count]))
            pipes[side].byteCount += count
        }
    }

    private func deliver(_ side: Int, now: UInt64) {
        while let (arrival, bytes) = pipes[side].chunks.first, arrival <= now {
            let piece = bytes.prefix(pipes[side].budget ?? .max)
            switch side == 0 ? server.write(piece) : client.write(piece) {
            case .wouldBlock: return
            case .end, .error:
                isRefused = side == 0 && pipes[1].delivered == 0
                return end(reset: true)
            case .bytes(let count):
                pipes[side].byteCount -= count
                pipes[side].delivered += count
                if count == bytes.count {
                    pipes[side].chunks.removeFirst()
                } else {
                    pipes[side].chunks[0].bytes = bytes.dropFirst(count)
                }
                if let budget = pipes[side].budget {
                    pipes[side].budget = budget - count
                    if budget == count { return cut(pipes[side].budgetCut, now: now) }
                }
            }
        }
        if pipes[side].hasEnded, !pipes[side].hasToldEnd, pipes[side].chunks.isEmpty {
            pipes[side].hasToldEnd = true
            if side == 0 { server.finishWriting() } else { client.finishWriting() }
            if pipes[1 - side].hasToldEnd { phase = .over }
        }
    }

    /// Cuts it when so many more bytes have been delivered; at once when that is none.
    func cut(_ way: LinkQuality.Cut, after bytes: Int, of side: Int, now: UInt64) {
        guard bytes > 0 else { return cut(way, now: now) }
        pipes[side].budget = bytes
        pipes[side].budgetCut = way
    }

    func cut(_ way: LinkQuality.Cut, now: UInt64) {
        guard phase == .open else { return }
        isCut = true
        pipes[0].chunks = []
        pipes[1].chunks = []
        switch way {
        case .reset: end(reset: true)
        case .silence: phase = .silent
        case .finish:
            client.finishWriting()
            server.finishWriting()
            phase = .ending
            endingUntil = now + 2_000_000_000
        }
    }

    /// To close a socket with bytes that were not read would be a reset.
    private func discard(_ side: Int) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        switch side == 0 ? client.read(into: &buffer, atMost: .max) : server.read(into: &buffer, atMost: .max) {
        case .end, .error: isGone[side] = true
        case .bytes, .wouldBlock: break
        }
    }

    func end(reset: Bool) {
        if reset {
            client.resetOnClose()
            server.resetOnClose()
        }
        phase = .over
    }
}
