// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// A listener that is attached to an ``Event``. It is detached by ``cancel()``, or when the last reference is gone.
public final class EventSubscription: Sendable {
    private let detach: Mutex<(@Sendable () -> Void)?>

    /// Creates a subscription.
    ///
    /// - Parameter detach: Detaches the listener. Called once, on the thread that cancels.
    public init(detach: @escaping @Sendable () -> Void = {}) {
        self.detach = Mutex(detach)
    }

    deinit {
        cancel()
    }

    /// Detaches the listener; of no effect the second time. A payload that is being fired on another thread at this
    /// moment may still arrive.
    public func cancel() {
        let detach = detach.withLock { detach in
            defer { detach = nil }
            return detach
        }
        detach?()
    }
}
