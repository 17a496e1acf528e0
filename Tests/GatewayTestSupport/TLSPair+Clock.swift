// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import TLSEngine

/// A clock for `TLSConfiguration.clock` that stands still until a test moves it.
public final class TestClock: Sendable {
    private let seconds: Atomic<Int64>

    /// - Parameter seconds: Where it starts, in Unix seconds; now when it is not given.
    public init(_ seconds: Int64 = TLSConfiguration.systemClock()) {
        self.seconds = Atomic(seconds)
    }

    /// The time, in Unix seconds.
    public var now: Int64 { self.seconds.load(ordering: .relaxed) }

    /// Moves the clock, forwards or back.
    public func advance(by seconds: Int64) {
        self.seconds.add(seconds, ordering: .relaxed)
    }

    /// The clock as a configuration wants it.
    public var reading: @Sendable () -> Int64 {
        { self.now }
    }
}
