// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Synchronization

/// A bad network that remembers when it cut.
final class FaultyLink: Sendable {
    private let link: BadLink
    private let lastCut = Mutex<UInt64>(0)

    init(to port: UInt16) throws {
        link = try BadLink(to: port)
    }

    var port: UInt16 { link.port }

    func cut(_ cut: LinkQuality.Cut) {
        lastCut.withLock { $0 = PersistentPeer.now }
        link.cutAll(cut)
    }

    func stall(milliseconds: Int) { link.blackOut(for: .milliseconds(milliseconds)) }

    /// Whether it has cut connections that began later than a moment, or shortly before: the link's thread has its own time.
    func wasCut(since time: UInt64) -> Bool { lastCut.withLock { $0 } + 2_000_000_000 >= time }

    func stop() { link.stop() }
}
