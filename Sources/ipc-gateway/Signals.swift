// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayRuntime
internal import Glibc

/// Signals, waited for by the main thread instead of interrupting whatever runs.
struct Signals {
    private var set = sigset_t()

    /// Keeps the signals for `wait`. Call it before other threads are started, which inherit it.
    init(_ signals: [Int32]) {
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the next signal.
    mutating func wait() -> Int32 {
        var signal: Int32 = 0
        while sigwait(&set, &signal) != 0 {}
        return signal
    }

    /// Waits for the next signal, but not longer than a time.
    mutating func wait(within limit: Duration) {
        let (seconds, attoseconds) = limit.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        while sigtimedwait(&set, nil, &time) < 0, errno == EINTR {}
    }

    /// What ``wake()`` sends: who waits for it looks around.
    static let wakeUp = SIGUSR2

    /// Lets whoever waits for ``wakeUp`` go on.
    static func wake() {
        kill(getpid(), wakeUp)
    }

    /// Makes writing where nobody reads an error, instead of the end of the process.
    static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Lets the signals do again what they do by themselves.
    mutating func restore() {
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
    }

    /// Lets some of the signals do again what they do by themselves; the others stay without effect.
    func restore(only signals: [Int32]) {
        var some = sigset_t()
        sigemptyset(&some)
        for signal in signals { sigaddset(&some, signal) }
        pthread_sigmask(SIG_UNBLOCK, &some, nil)
    }
}
