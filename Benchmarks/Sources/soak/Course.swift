// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import Synchronization

/// What all threads of the soak share: what was found, and whether it is time to end.
final class Course: Sendable {
    private struct State {
        var problems: [String] = []
        var figures: [String: Figures] = [:]
        var isEnding = false
        var lastShortage: UInt64 = 0
    }

    private let state = Mutex(State())
    private let start = PersistentPeer.now
    private static let isInterrupted = Atomic(false)

    /// Lets ctrl-C end the soak in order.
    static func catchInterrupts() {
        for number in [SIGINT, SIGTERM] { signal(number) { _ in Course.isInterrupted.store(true, ordering: .relaxed) } }
    }

    /// Whether somebody wants it to end.
    static var wasInterrupted: Bool { isInterrupted.load(ordering: .relaxed) }

    /// Something that does not hold.
    func report(_ who: String, _ problem: String) {
        let seconds = Double(PersistentPeer.now - start) / 1e9
        state.withLock { $0.problems.append("after \((seconds * 1_000).rounded() / 1_000) s, \(who): \(problem)") }
    }

    var problems: [String] { state.withLock { $0.problems } }

    /// Whether clients are to finish what they have begun, and go.
    var isEnding: Bool {
        get { state.withLock { $0.isEnding } }
        set { state.withLock { $0.isEnding = newValue } }
    }

    /// There are no descriptors for a while: who connects may be turned away.
    func noteShortage() { state.withLock { $0.lastShortage = PersistentPeer.now } }

    func hadShortage(since time: UInt64) -> Bool { state.withLock { $0.lastShortage } + 2_000_000_000 >= time }

    func add(_ figures: Figures, as kind: String) { state.withLock { $0.figures[kind, default: Figures()] += figures } }

    func figures(_ kind: String) -> Figures { state.withLock { $0.figures[kind] ?? Figures() } }
}
