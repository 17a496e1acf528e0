// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// How bad a ``BadLink`` is. Times are in milliseconds, and those that are ranges are drawn from them.
public struct LinkQuality: Sendable {
    /// How a connection is cut.
    public enum Cut: Sendable, CaseIterable {
        /// The end of file, to both sides.
        case finish
        /// A reset, to both sides.
        case reset
        /// Neither side learns anything: nothing is forwarded any more, the ends of both sides included.
        case silence
    }

    /// How long each byte takes, in each direction.
    public var delay = 0
    /// What is added to that; the order stays.
    public var jitter = 0...0
    /// The bytes in a second, in each direction; nil for as many as there are.
    public var bytesPerSecond: Int?
    /// How many bytes are on their way in one direction before no more are taken.
    public var queueBytes = 1 << 20
    /// After how long the link goes dead for all connections; nil for never.
    public var stallEvery: ClosedRange<Int>?
    /// How long it is dead then. Nothing is lost by it.
    public var stallLength = 0...0
    /// After how many bytes of one direction each connection is cut, at the latest; nil for never.
    public var cutAfterBytes: ClosedRange<Int>?
    /// After how long each connection is cut, at the latest; nil for never.
    public var cutAfter: ClosedRange<Int>?
    /// The ways in which connections are cut.
    public var cuts: [Cut] = [.finish, .reset]

    /// A link that is as good as none.
    public init() {}
}
