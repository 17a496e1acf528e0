// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Why bytes were refused, and where.
public struct WireError: Error, Hashable, Sendable {
    /// The reason; its raw value is the word that lands in logs and counters.
    public enum Code: String, Sendable, CaseIterable {
        /// The input ends inside a value, a length or a frame.
        case truncated
        /// A length, count or integer is written with more bytes than it needs.
        case nonCanonicalLength = "non-canonical-length"
        /// A length, count or integer has more than five bytes or 32 bits, or a length or count is negative.
        case lengthOutOfRange = "length-out-of-range"
        /// An array announces more elements than bytes follow.
        case countExceedsInput = "count-exceeds-input"
        /// A tag byte that is none of 0 to 6.
        case unknownTag = "unknown-tag"
        /// Arrays, or JSON, nested deeper than the limit.
        case tooDeep = "too-deep"
        /// More array elements in one message than the limit.
        case tooManyElements = "too-many-elements"
        /// Text that is not valid UTF-8.
        case invalidUTF8 = "invalid-utf8"
        /// The text of an object is not exactly one JSON value.
        case invalidJSON = "invalid-json"
        /// Something follows the last value.
        case trailingBytes = "trailing-bytes"
        /// The header of a message is not an array.
        case headerNotArray = "header-not-array"
        /// The number of a message kind that nobody knows.
        case unknownMessageKind = "unknown-message-kind"
        /// The header has more or fewer elements than its kind of message.
        case wrongArity = "wrong-arity"
        /// The kind of a message is not an integer, or a name is not a string.
        case wrongHeaderType = "wrong-header-type"
        /// An id that is not an integer from 0 to 2⁵³−1 in the one form VS Code writes it.
        case invalidID = "invalid-id"
        /// The message ends after its header.
        case missingBody = "missing-body"
        /// The header of a frame announces a body above the limit.
        case frameTooLarge = "frame-too-large"
        /// A frame of another type than Regular where only Regular is legal.
        case unexpectedFrameType = "unexpected-frame-type"
        /// A sequence number or acknowledgement where the plain protocol has none.
        case unexpectedSequence = "unexpected-sequence"
    }

    /// The reason.
    public var code: Code

    /// The byte offset in the message, or in the frame for reasons about frames, where it was noticed.
    public var offset: Int

    /// The number the input announced (a length, a count, a tag, a kind, an element count), where there is one.
    public var found: Int?

    /// What would have been acceptable: the bytes that were left, the limit, or the expected count.
    public var allowed: Int?

    /// Creates an error.
    ///
    /// - Parameters:
    ///   - code: The reason.
    ///   - offset: Where it was noticed, in bytes from the start of the message or frame.
    ///   - found: The number the input announced.
    ///   - allowed: The number that would have been acceptable.
    public init(_ code: Code, at offset: Int, found: Int? = nil, allowed: Int? = nil) {
        self.code = code
        self.offset = offset
        self.found = found
        self.allowed = allowed
    }
}

extension WireError: CustomStringConvertible {
    /// A sentence for people, such as "an array at byte 0 announces 2000000000 elements but only 3 bytes follow".
    public var description: String {
        switch code {
        case .truncated, .nonCanonicalLength, .lengthOutOfRange, .countExceedsInput, .unknownTag, .tooDeep,
            .tooManyElements, .invalidUTF8, .invalidJSON, .trailingBytes:
            valueDescription
        case .headerNotArray, .unknownMessageKind, .wrongArity, .wrongHeaderType, .invalidID, .missingBody:
            messageDescription
        case .frameTooLarge, .unexpectedFrameType, .unexpectedSequence:
            frameDescription
        }
    }

    private var valueDescription: String {
        switch code {
        case .truncated:
            if let found, let allowed {
                "a value at byte \(offset) announces \(found) bytes but only \(allowed) follow"
            } else {
                "the input ends inside a value, at byte \(offset)"
            }
        case .nonCanonicalLength: "the length or integer at byte \(offset) is written with more bytes than it needs"
        case .lengthOutOfRange:
            if let found {
                "the length or count at byte \(offset) is negative: \(found)"
            } else {
                "the length or integer at byte \(offset) does not fit 32 bits"
            }
        case .countExceedsInput:
            "an array at byte \(offset) announces \(number(found)) elements but only \(number(allowed)) bytes follow"
        case .unknownTag: "the value at byte \(offset) has the unknown tag \(number(found))"
        case .tooDeep: "the value at byte \(offset) is nested deeper than \(number(allowed)) levels"
        case .tooManyElements:
            "with the array at byte \(offset) the message has \(number(found)) elements, more than \(number(allowed))"
        case .invalidUTF8: "the text is not valid UTF-8 at byte \(offset)"
        case .invalidJSON: "the text of an object is not valid JSON at byte \(offset)"
        default: "there is something after the last value, at byte \(offset)"
        }
    }

    private var messageDescription: String {
        switch code {
        case .headerNotArray: "the header of the message is not an array"
        case .unknownMessageKind: "\(number(found)) is not a kind of message"
        case .wrongArity: "the header has \(number(found)) elements, but its kind has \(number(allowed))"
        case .wrongHeaderType: "the header has an element of the wrong type at byte \(offset)"
        case .invalidID: "the id at byte \(offset) is not an integer from 0 to 9007199254740991 as VS Code writes it"
        default: "the message ends after its header, at byte \(offset)"
        }
    }

    private var frameDescription: String {
        switch code {
        case .frameTooLarge: "a frame announces a body of \(number(found)) bytes, more than \(number(allowed))"
        case .unexpectedFrameType where allowed == nil:
            "a frame has type \(number(found)), but only Regular (1) is legal here"
        case .unexpectedFrameType: "a frame has type \(number(found)), which nobody knows"
        default: "a frame has the sequence number or acknowledgement \(number(found)) where the protocol has none"
        }
    }

    private func number(_ value: Int?) -> String {
        value.map(String.init) ?? "?"
    }
}
