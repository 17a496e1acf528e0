// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import Synchronization

/// Remembers what an event fires.
final class Listener<Payload: Sendable>: Sendable {
    private final class Log: Sendable {
        let payloads = Mutex<[Payload]>([])
        let error = Mutex<(any Error)?>(nil)
    }

    private let log = Log()
    private let subscription: EventSubscription

    init(_ event: Event<Payload>) {
        subscription = event.attach(
            EventSink(
                receive: { [log] payload in log.payloads.withLock { $0.append(payload) } },
                end: { [log] error in log.error.withLock { $0 = error } }
            )
        )
    }

    /// What was fired so far.
    var payloads: [Payload] { log.payloads.withLock { $0 } }
    /// What the event ended with.
    var error: (any Error)? { log.error.withLock { $0 } }

    func stop() {
        subscription.cancel()
    }
}
