// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// What is found at a path into an argument, as far as conditions tell values apart.
enum ArgumentPart: Sendable, Hashable {
    /// Nothing, or `undefined`.
    case missing
    case null
    case bool(Bool)
    /// A number, as the double that a JavaScript server has.
    case number(Double)
    /// Text, with its bytes: UTF-8, or WTF-8 where there are surrogates without a partner.
    case text([UInt8])
    /// An object, decoded from JSON that is not ambiguous.
    case object(IPCObject)
    /// An array or a buffer, which no test looks into.
    case other
    /// It cannot be said what is there.
    case undecided

    init(_ value: IPCValue) {
        switch value {
        case .undefined: self = .missing
        case .null: self = .null
        case .bool(let bool): self = .bool(bool)
        case .int(let int): self = .number(Double(int))
        case .number(let double): self = .number(double)
        case .string(let text): self = .text(text.wtf8)
        case .object(let object): self = .object(object)
        case .array, .buffer, .vsBuffer: self = .other
        }
    }
}
