// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Reads encoded values, strictly or as VS Code does.
public struct ValueDecoder: Sendable {
    /// How broken input is treated.
    public enum Mode: Sendable, Hashable {
        /// Accepts exactly what ``ValueWalker`` accepts.
        case strict

        /// Reads what VS Code 1.99 reads (PROTOCOL 2.1, 2.4, 2.5), which hardly ever refuses anything.
        ///
        /// Invalid UTF-8 becomes U+FFFD by maximal subparts; lengths may be written in any way, wrap at 32 bits, count
        /// from the end of the message when negative, and are cut to what is there; missing elements and unknown tags are
        /// `undefined`; what follows a value is ignored. As in VS Code broken JSON is an error.
        ///
        /// Two forms that would exhaust memory or stack of VS Code itself are refused even so: more array elements than
        /// ``IPCLimits/valueElements``, and nesting beyond ``IPCLimits/valueDepth`` or ``IPCLimits/jsonDepth``.
        case lenient
    }

    /// How broken input is treated.
    public var mode: Mode

    /// The bounds to keep, in both modes.
    public var limits: IPCLimits

    /// Creates a decoder.
    ///
    /// - Parameters:
    ///   - mode: How broken input is treated.
    ///   - limits: The bounds to keep.
    public init(mode: Mode = .strict, limits: IPCLimits = IPCLimits()) {
        self.mode = mode
        self.limits = limits
    }

    /// Reads a value from input that holds nothing else; in lenient mode what follows it is ignored.
    ///
    /// - Parameter bytes: The input.
    /// - Returns: The value.
    /// - Throws: ``WireError`` with any of the reasons about values; in lenient mode only `invalidJSON`,
    ///   `tooManyElements` and `tooDeep`.
    public func decode(_ bytes: Span<UInt8>) throws(WireError) -> IPCValue {
        var offset = 0
        let value = try decodePrefix(bytes, at: &offset)
        if mode == .strict, offset < bytes.count {
            throw WireError(.trailingBytes, at: offset)
        }
        return value
    }

    /// Reads a value that starts at an offset.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - offset: Where the value starts; afterwards where it ends. Meaningless when it throws.
    /// - Returns: The value.
    /// - Throws: ``WireError`` as ``decode(_:)``.
    public func decodePrefix(_ bytes: Span<UInt8>, at offset: inout Int) throws(WireError) -> IPCValue {
        if mode == .strict {
            // One judge for both: what the walker has accepted the reader understands in one way only.
            var end = offset
            var elements = 0
            try ValueWalker.skipValue(in: bytes, at: &end, limits: limits, elements: &elements)
        }
        var reader = LenientReader(position: offset, limits: limits)
        let value = try reader.readValue(bytes, depth: 0)
        offset = reader.position
        return value
    }
}
