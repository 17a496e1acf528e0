// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Dispatch
internal import Glibc
internal import NIOCore
internal import Synchronization

/// Why ``Interruptible/run(_:)`` ended early.
struct Interrupted: Error {}

/// Runs a command's asynchronous work while the main thread waits.
enum Interruptible {
    /// How many threads connections live on.
    private static let loopCount = 2

    private struct Outcome<Value: Sendable>: Sendable {
        var result: Result<Value, any Error>?
        var isInterrupted = false
    }

    /// Runs work until it is done. ctrl-C or SIGTERM cancels it, a second one ends the process at once. Call it before
    /// other threads are started, and once.
    ///
    /// SIGPIPE is ignored from then on.
    ///
    /// - Parameters:
    ///   - grace: How long the work may take to come to its end after it was cancelled.
    ///   - hangUp: What SIGHUP does, and whether the work goes on after it; nil leaves that to the system, which ends the
    ///     process.
    ///   - work: The work.
    /// - Throws: ``Interrupted`` after ctrl-C or SIGTERM, else what the work throws.
    static func run<Value: Sendable>(
        grace: Duration = .seconds(2),
        hangUp: (@Sendable () -> Bool)? = nil,
        _ work: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let outcome = Shared(Outcome<Value>())
        let done = DispatchSemaphore(value: 0)
        // Blocked in every thread that is started from here on, so that one of them can wait for them.
        let ends = [SIGINT, SIGTERM]
        let signals = Signals(hangUp == nil ? ends : ends + [SIGHUP])
        Signals.ignoreBrokenPipes()
        // Otherwise SwiftNIO starts a thread for each core; where the number of threads is bounded that can be too many.
        NIOSingletons.groupLoopCountSuggestion = loopCount
        let task = Task {
            let result: Result<Value, any Error>
            do { result = .success(try await work()) } catch { result = .failure(error) }
            outcome.value.withLock { $0.result = result }
            done.signal()
        }
        DispatchQueue(label: "ipc-gateway.signals").async {
            var signals = signals
            while signals.wait() == SIGHUP, hangUp?() == true {}
            outcome.value.withLock { $0.isInterrupted = true }
            task.cancel()
            // A SIGHUP that comes now finds nothing to do, and waits for ever.
            var last = Signals(ends)
            last.wait(within: grace)
            _exit(ExitCode.interrupted.rawValue)
        }
        done.wait()
        let end = outcome.value.withLock { $0 }
        guard !end.isInterrupted, let result = end.result else { throw Interrupted() }
        return try result.get()
    }

    /// Waits until the task is cancelled.
    static func waitForCancellation() async {
        let (never, _) = AsyncStream.makeStream(of: Never.self)
        for await _ in never {}
    }

    private final class Shared<Value: Sendable>: Sendable {
        let value: Mutex<Value>

        init(_ value: Value) {
            self.value = Mutex(value)
        }
    }
}
