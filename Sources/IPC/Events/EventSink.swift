// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Where an ``Event`` puts what is fired.
public struct EventSink<Payload: Sendable>: Sendable {
    private let receive: @Sendable (Payload) -> Void
    private let end: @Sendable ((any Error)?) -> Void
    private let room: (@Sendable () async -> Void)?

    /// Creates a sink.
    ///
    /// - Parameters:
    ///   - receive: Takes a payload, without blocking.
    ///   - end: Is told that nothing more will come, and why if that is a failure.
    ///   - room: Waits until the sink can take more; nil when it always can.
    public init(
        receive: @escaping @Sendable (Payload) -> Void,
        end: @escaping @Sendable ((any Error)?) -> Void = { _ in },
        room: (@Sendable () async -> Void)? = nil
    ) {
        self.receive = receive
        self.end = end
        self.room = room
    }

    /// Hands over a payload.
    public func send(_ payload: Payload) {
        receive(payload)
    }

    /// Says that nothing more will come.
    ///
    /// - Parameter error: Why, if it is a failure.
    public func finish(throwing error: (any Error)? = nil) {
        end(error)
    }

    /// Waits until the listener can take more. A source that can wait asks before it makes the next payload.
    public func waitForRoom() async {
        await room?()
    }
}
