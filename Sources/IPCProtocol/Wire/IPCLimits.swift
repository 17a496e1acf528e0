// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The bounds every decoder of this package keeps. Each has a name and a default.
public struct IPCLimits: Sendable, Hashable {
    /// The largest body of one frame, in bytes.
    public var frameBytes: Int

    /// How deep arrays (tag 4) may be nested in one value; a plain array counts as 1.
    ///
    /// Values above ``deepestNesting`` have the effect of ``deepestNesting``.
    public var valueDepth: Int

    /// How many array elements (tag 4) one message may announce, over all levels.
    ///
    /// The original believes any count: six bytes make it loop until it dies.
    public var valueElements: Int

    /// How deep arrays and objects may be nested in one JSON text (tag 5); `[]` counts as 1.
    ///
    /// Values above ``deepestNesting`` have the effect of ``deepestNesting``.
    public var jsonDepth: Int

    /// No nesting goes deeper than this, whatever a limit says: readers recurse, and a stack is finite.
    public static let deepestNesting = 1_024

    /// Creates limits; what is not given has its default.
    ///
    /// - Parameters:
    ///   - frameBytes: The largest body of one frame, 16 MiB.
    ///   - valueDepth: The deepest nesting of arrays, 64.
    ///   - valueElements: The most array elements in one message, 1,048,576.
    ///   - jsonDepth: The deepest nesting in one JSON text, 512.
    public init(
        frameBytes: Int = 16 * 1_024 * 1_024,
        valueDepth: Int = 64,
        valueElements: Int = 1_048_576,
        jsonDepth: Int = 512
    ) {
        self.frameBytes = frameBytes
        self.valueDepth = valueDepth
        self.valueElements = valueElements
        self.jsonDepth = jsonDepth
    }
}
