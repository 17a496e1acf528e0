// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// JSON (RFC 8259) as JavaScript's `JSON.parse` and `JSON.stringify` have it (PROTOCOL 2.3).
///
/// Reading is strict: no BOM, comments, trailing commas, leading zeros, or raw control characters. Of duplicate keys the
/// last wins; a number too big for a double is infinity; escapes may spell lone surrogates. Writing is what
/// `JSON.stringify` gives, byte for byte.
public enum JSONText {
    /// Checks that a text is exactly one JSON value of bounded nesting, white space around it allowed.
    ///
    /// Allocates nothing up to 64 levels of nesting.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - range: Where in it the text is.
    ///   - maxDepth: The deepest nesting of arrays and objects; `[]` is 1.
    /// - Throws: ``WireError`` with `invalidJSON`, `invalidUTF8` or `tooDeep`.
    public static func validate(
        _ bytes: Span<UInt8>,
        in range: Range<Int>,
        maxDepth: Int = IPCLimits().jsonDepth
    ) throws(WireError) {
        var validator = JSONValidator(range: range, maxDepth: min(maxDepth, IPCLimits.deepestNesting))
        try validator.validate(bytes)
    }

    /// Reads a text that is exactly one JSON value.
    ///
    /// - Parameters:
    ///   - bytes: The message.
    ///   - range: Where in it the text is.
    ///   - maxDepth: The deepest nesting of arrays and objects; `[]` is 1.
    /// - Returns: The value. A number that is a 32-bit integer, other than −0, becomes an ``IPCValue/int(_:)``.
    /// - Throws: ``WireError`` as ``validate(_:in:maxDepth:)``.
    public static func parse(
        _ bytes: Span<UInt8>,
        in range: Range<Int>,
        maxDepth: Int = IPCLimits().jsonDepth
    ) throws(WireError) -> IPCValue {
        try validate(bytes, in: range, maxDepth: maxDepth)
        var reader = JSONReader(range: range)
        return reader.readValue(bytes)
    }

    /// Writes a value as JSON.
    ///
    /// Buffers take the form `JSON.stringify` gives them, `undefined` members are left out, `undefined` elements and
    /// numbers that are not finite become `null`.
    ///
    /// - Parameter value: The value.
    /// - Returns: The text, or nil for `undefined`, which has none.
    public static func write(_ value: IPCValue) -> [UInt8]? {
        if case .undefined = value {
            return nil
        }
        var output: [UInt8] = []
        append(value, to: &output)
        return output
    }

    /// Writes a value as JSON; `undefined` as `null`.
    ///
    /// - Parameters:
    ///   - value: The value.
    ///   - output: What the text is appended to.
    public static func append(_ value: IPCValue, to output: inout [UInt8]) {
        JSONWriter.append(value, to: &output)
    }
}
