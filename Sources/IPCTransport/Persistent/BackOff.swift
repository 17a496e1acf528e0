// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// How long a client waits between its attempts to get its connection back: not at all at first, then longer and longer.
///
/// The addresses are tried in turn, one round after the other; the wait is before each round. The jitter keeps the clients of
/// a gateway that was away from coming back all in the same moment.
public struct BackOff: Sendable, Hashable {
    /// The wait before the second round; the first begins at once.
    public var first: Duration
    /// By what the wait is multiplied from round to round.
    public var factor: Double
    /// The longest wait.
    public var longest: Duration
    /// What part of a wait is left to chance: 0 for none; 0.5 makes it something between half of it and all of it.
    public var jitter: Double

    private static let shortest = Duration.milliseconds(1)

    /// Makes a schedule; what is not given has its default.
    ///
    /// - Parameters:
    ///   - first: 250 ms.
    ///   - factor: 2.
    ///   - longest: 30 s.
    ///   - jitter: 0.5.
    public init(
        first: Duration = .milliseconds(250),
        factor: Double = 2,
        longest: Duration = .seconds(30),
        jitter: Double = 0.5
    ) {
        self.first = first
        self.factor = factor
        self.longest = longest
        self.jitter = jitter
    }

    /// How long to wait before a round.
    ///
    /// - Parameters:
    ///   - round: 0 for the first.
    ///   - chance: A number from 0 to 1, of which 0 makes it shortest.
    public func wait(beforeRound round: Int, chance: Double) -> Duration {
        guard round > 0 else { return .zero }
        // At once, again and again, would keep a processor busy with nothing else.
        var wait = max(min(first, longest), Self.shortest)
        // Whatever the factor is, this many rounds are enough to get there, or it never gets there.
        for _ in 1..<min(round, 1_000) {
            guard wait < longest else { break }
            wait = min(wait * max(1, factor), longest)
        }
        let part = min(max(jitter, 0), 1)
        return max(wait * (1 - part + part * min(max(chance, 0), 1)), Self.shortest)
    }
}
