// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Whether the threads of a gateway turn their loops: each has to answer what is left in its mailbox.
///
/// Its methods may be called from any thread.
final class Liveness: Sendable {
    private struct Thread {
        /// Since when an answer is waited for; nil when there is none to wait for.
        var askedAt: UInt64?
        var hasEnded = false
    }

    private let threads: Mutex<[Thread]>

    init(threadCount: Int) {
        threads = Mutex(Array(repeating: Thread(), count: threadCount))
    }

    /// A thread has come to its end, and is not asked any more.
    func threadEnded(_ index: Int) {
        threads.withLock { $0[index] = Thread(hasEnded: true) }
    }

    /// Asks the threads that have answered before.
    ///
    /// - Parameters:
    ///   - mailboxes: Those of the threads, in their order.
    ///   - now: The time.
    func ask(_ mailboxes: [Reactor.Mailbox], at now: UInt64) {
        for (index, mailbox) in mailboxes.enumerated() {
            let asks = threads.withLock { threads in
                guard !threads[index].hasEnded, threads[index].askedAt == nil else { return false }
                threads[index].askedAt = now
                return true
            }
            guard asks else { continue }
            mailbox.post { _ in self.threads.withLock { $0[index].askedAt = nil } }
        }
    }

    /// The threads that have not answered, by their places, and since when they were asked.
    var silent: [(index: Int, since: UInt64)] {
        threads.withLock { threads in
            threads.enumerated().compactMap { index, thread in thread.askedAt.map { (index, $0) } }
        }
    }
}
