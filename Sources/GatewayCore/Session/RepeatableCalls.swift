// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Open calls that do no harm when they are made twice: their frames are kept, to be sent again to a server that was lost
/// with them and is back.
struct RepeatableCalls: Sendable {
    /// How often a call is repeated before it is answered with an error.
    static let mostRepeats = 3
    /// How long calls wait for their server to come back, in nanoseconds.
    static let longestWait: UInt64 = 30_000_000_000

    private struct Call {
        var frame: [UInt8]
        /// Calls are repeated in the order in which they came; ids need not grow.
        var place: UInt64
        /// How many servers were lost that may have got it.
        var losses = 0
    }

    private var calls: [UInt64: Call] = [:]
    private var nextPlace: UInt64 = 0
    /// Bytes of the frames.
    private(set) var byteCount = 0

    /// Keeps a call.
    mutating func keep(_ id: UInt64, _ frame: [UInt8]) {
        calls[id] = Call(frame: frame, place: nextPlace)
        nextPlace += 1
        byteCount += frame.count
    }

    /// The frame of a call, if it is kept.
    func frame(of id: UInt64) -> [UInt8]? { calls[id]?.frame }

    /// Lets go of a call: it has ended, or is not to be repeated.
    mutating func forget(_ id: UInt64) {
        guard !calls.isEmpty, let call = calls.removeValue(forKey: id) else { return }
        byteCount -= call.frame.count
    }

    /// Lets go of all calls but those that a server was lost with, who have been promised that they are made again.
    mutating func makeRoom() {
        calls = calls.filter { $0.value.losses > 0 }
        byteCount = calls.values.reduce(0) { $0 + $1.frame.count }
    }

    /// Takes note that a call's server is gone.
    ///
    /// - Parameter wasReached: Whether it may have got the call.
    /// - Returns: Whether the call is to be made again. One that no server ever got is not: its client had better know.
    mutating func lost(_ id: UInt64, wasReached: Bool) -> Bool {
        guard calls[id] != nil else { return false }
        if wasReached { calls[id]?.losses += 1 }
        return (1...Self.mostRepeats).contains(calls[id]?.losses ?? 0)
    }

    /// The calls among `ids` that are kept, in the order in which they came.
    func inOrder(_ ids: [UInt64]) -> [(id: UInt64, frame: [UInt8])] {
        ids.compactMap { id in calls[id].map { (id, $0) } }.sorted { $0.1.place < $1.1.place }
            .map { ($0.0, $0.1.frame) }
    }
}
