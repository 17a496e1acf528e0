// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayCore
public import Logging
internal import Synchronization

/// Reads the configuration anew for whoever asks, one after another, and remembers how it went.
public final class Reloader: Sendable {
    /// What has become of a wish.
    public enum Outcome: Sendable {
        /// The configuration is in force, or will be within moments.
        case reloaded(generation: Int)
        /// Nothing has changed, and this is why; a sentence each.
        case refused([String])
    }

    /// How reloads have gone.
    public struct State: Sendable {
        /// When the configuration in force was taken, in nanoseconds since 1970.
        public var lastSuccess: Int64
        /// When one was refused last; nil for never.
        public var lastFailure: Int64?
        /// How many were refused.
        public var failures = 0
        /// What was wrong with the last one, if that was refused.
        public var problems: [String] = []
        /// Whether the gateway is about to end, and takes no more of them.
        public var hasEnded = false
    }

    private let gateway: Gateway
    private let logger: Logger
    private let load: @Sendable (Int) throws(ConfigurationError) -> GatewaySnapshot
    private let turn = Mutex(())
    private let observer = Mutex<(@Sendable () -> Void)?>(nil)
    private let current: Mutex<State>

    /// - Parameters:
    ///   - gateway: What goes on by the new configuration.
    ///   - logger: Is told how it went.
    ///   - load: Reads the configuration; takes its number.
    public init(
        _ gateway: Gateway,
        logger: Logger,
        load: @escaping @Sendable (Int) throws(ConfigurationError) -> GatewaySnapshot
    ) {
        self.gateway = gateway
        self.logger = logger
        self.load = load
        current = Mutex(State(lastSuccess: MonotonicClock.wallClock()))
    }

    /// How reloads have gone.
    public var state: State { current.withLock { $0 } }

    /// Has somebody told of each new configuration; of several the last.
    func whenReloaded(_ body: @escaping @Sendable () -> Void) {
        observer.withLock { $0 = body }
    }

    /// From now on nothing is read any more.
    public func end() {
        current.withLock { $0.hasEnded = true }
    }

    /// Reads everything anew, on this thread; when anything is wrong nothing changes.
    ///
    /// - Parameter asker: Who wants it, for the log: `SIGHUP`, for instance.
    public func reload(for asker: String) -> Outcome {
        turn.withLock { _ in reloadNow(asker) }
    }

    private func reloadNow(_ asker: String) -> Outcome {
        guard !state.hasEnded else {
            logger.notice("\(asker): the gateway is stopping; the configuration is not read any more")
            return .refused(["the gateway is stopping; the configuration is not read any more"])
        }
        let before = gateway.snapshot
        do throws(ConfigurationError) {
            let next = try load(before.generation + 1)
            try gateway.reload(next)
            for note in next.notes { logger.notice("\(note)") }
            let (old, new) = (before.configuration.limits, next.configuration.limits)
            if (new.clients, new.newcomers) != (old.clients, old.newcomers) {
                DescriptorLimit.raise(for: new, logger: logger)
            }
            current.withLock { state in
                state.lastSuccess = MonotonicClock.wallClock()
                state.problems = []
            }
            observer.withLock { $0 }?()
            return .reloaded(generation: next.generation)
        } catch {
            let problems = error.problems.map(\.description)
            for problem in problems { logger.error("reload: \(problem)") }
            logger.error(
                "\(asker): the configuration was not reloaded; the one that is in force stays",
                metadata: ["generation": "\(before.generation)", "problems": "\(problems.count)"]
            )
            current.withLock { state in
                state.lastFailure = MonotonicClock.wallClock()
                state.failures += 1
                state.problems = problems
            }
            return .refused(problems)
        }
    }
}
