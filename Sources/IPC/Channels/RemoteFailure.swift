// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// A failure that is not an Error but a plain value: what JavaScript may reject with (203 on the wire).
public struct RemoteFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the handler failed with.
    public var value: IPCValue

    /// Creates a failure.
    public init(_ value: IPCValue) {
        self.value = value
    }

    /// The value as JSON.
    public var description: String {
        JSONText.write(value).map { String(decoding: $0, as: UTF8.self) } ?? "undefined"
    }
}
