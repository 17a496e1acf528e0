// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The number a header starts with (PROTOCOL 3.1, 3.2).
public enum MessageKind: Int32, Sendable, CaseIterable {
    /// A request: run a command.
    case call = 100
    /// A request: stop a call.
    case cancel = 101
    /// A request: subscribe to an event.
    case listen = 102
    /// A request: end a subscription.
    case unlisten = 103
    /// "I am ready for requests."
    case initialize = 200
    /// An answer: the call succeeded.
    case success = 201
    /// An answer: the call failed with an Error.
    case failure = 202
    /// An answer: the call failed with something that is not an Error.
    case failureValue = 203
    /// An event was fired.
    case event = 204

    /// How many elements the header has, this number included.
    public var headerCount: Int {
        switch self {
        case .call, .listen: 4
        case .initialize: 1
        default: 2
        }
    }
}
