// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A test of one part of an argument.
///
/// A part that is missing, or `null` where it is not asked for, fails. A part of another kind than the test is about is
/// undecided: a server may convert it to that kind, or may not.
enum ArgumentTest: Sendable, Hashable {
    /// Whether it is there; `null` is there, `undefined` is not.
    case present(Bool)
    /// It is one of these.
    case oneOf([ArgumentConstant])
    /// It is text that starts with one of these, byte by byte.
    case prefix([[UInt8]])
    /// It is an absolute path, or a URI with one, of one of these folders or of something below it.
    case below([FolderPath])
    /// It is a number, at least this.
    case min(Double)
    /// It is a number, at most this.
    case max(Double)

    func judge(_ part: ArgumentPart) -> Judgement {
        if part == .undecided { return .undecided }
        switch self {
        case .present(let wanted):
            return Judgement((part != .missing) == wanted)
        case .oneOf(let constants):
            return Self.judge(part, oneOf: constants)
        case .prefix(let prefixes):
            return judge(part) { part in
                guard case .text(let text) = part else { return .undecided }
                return Judgement(prefixes.contains { text.starts(with: $0) })
            }
        case .below(let folders):
            return judge(part) { part in
                guard let text = URIMembers.path(of: part), let path = FolderPath(text) else { return .undecided }
                return Judgement(folders.contains { $0.contains(path) })
            }
        case .min(let bound):
            return judge(part) { Self.number($0).map { Judgement($0 >= bound) } ?? .undecided }
        case .max(let bound):
            return judge(part) { Self.number($0).map { Judgement($0 <= bound) } ?? .undecided }
        }
    }

    private func judge(_ part: ArgumentPart, _ present: (ArgumentPart) -> Judgement) -> Judgement {
        part == .missing || part == .null ? .fails : present(part)
    }

    private static func number(_ part: ArgumentPart) -> Double? {
        if case .number(let number) = part { number } else { nil }
    }

    private static func judge(_ part: ArgumentPart, oneOf constants: [ArgumentConstant]) -> Judgement {
        switch part {
        case .missing:
            return .fails
        case .null:
            return Judgement(constants.contains(.null))
        default:
            let sameKind = constants.filter { $0.isSameKind(as: part) }
            return sameKind.isEmpty ? .undecided : Judgement(sameKind.contains { $0.equals(part) })
        }
    }
}

/// A value in a rule that a part of an argument is compared with.
enum ArgumentConstant: Sendable, Hashable {
    case null
    case bool(Bool)
    case number(Double)
    case text([UInt8])

    fileprivate func isSameKind(as part: ArgumentPart) -> Bool {
        switch (self, part) {
        case (.null, .null), (.bool, .bool), (.number, .number), (.text, .text): true
        default: false
        }
    }

    fileprivate func equals(_ part: ArgumentPart) -> Bool {
        switch (self, part) {
        case (.null, .null): true
        case (.bool(let wanted), .bool(let found)): wanted == found
        case (.number(let wanted), .number(let found)): wanted == found
        case (.text(let wanted), .text(let found)): wanted == found
        default: false
        }
    }
}
