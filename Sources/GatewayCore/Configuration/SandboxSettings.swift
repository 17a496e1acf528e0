// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// How much the process takes away from itself after its start (`sandbox:`, docs/configuration.md).
public struct SandboxSettings: Sendable, Hashable {
    /// Whether it does.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
        /// As far as the kernel can.
        case on
        /// Not at all.
        case off
        /// Entirely, or there is no start.
        case required
    }

    /// Whether it does.
    public var mode = Mode.on
    /// Further folders and files that may be read, as written.
    public var read: [String] = []
    /// Further folders and files that may be written, as written.
    public var write: [String] = []

    /// The defaults of docs/configuration.md.
    public init() {}
}
