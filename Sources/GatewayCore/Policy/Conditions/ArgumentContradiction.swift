// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Finds conditions that no argument passes.
enum ArgumentContradiction {
    /// What is wrong; nil when nothing is, as far as can be told.
    static func find(in conditions: [ArgumentCondition]) -> String? {
        var places: [(path: ArgumentPath, tests: [ArgumentTest])] = []
        for condition in conditions {
            // One place may be written in two ways.
            if let index = places.firstIndex(where: { $0.path.steps == condition.path.steps }) {
                places[index].tests += condition.tests
            } else {
                places.append((condition.path, condition.tests))
            }
        }
        for place in places {
            if let reason = find(in: place.tests) { return "\(place.path): \(reason)" }
        }
        for outer in places {
            for inner in places where excludes(outer, inner) {
                return "'\(outer.path)' and '\(inner.path)' cannot both be there"
            }
        }
        return nil
    }

    // MARK: One place

    private static func find(in tests: [ArgumentTest]) -> String? {
        let isAbsent = tests.contains(.present(false))
        if isAbsent, tests.contains(where: { $0 != .present(false) }) {
            return "what is not present passes no other test"
        }
        for case .oneOf(let constants) in tests {
            let passes = constants.contains { constant in tests.allSatisfy { $0.judge(constant.part) == .holds } }
            if !passes {
                return constants.count == 1
                    ? "its value passes no other test" : "none of its values passes the other tests"
            }
        }
        let bounds = tests.compactMap(\.minimum)
        if let low = bounds.max(), let high = tests.compactMap(\.maximum).min() {
            if low > high { return "no number is at least \(low) and at most \(high)" }
        }
        let isNumber = tests.contains { $0.minimum != nil || $0.maximum != nil }
        let prefixes = tests.compactMap { if case .prefix(let prefixes) = $0 { prefixes } else { nil } }
        let isPath = tests.contains { if case .below = $0 { true } else { false } }
        if isNumber, isPath || !prefixes.isEmpty { return "a number is no text" }
        let slash = UInt8(ascii: "/")
        if isPath, prefixes.contains(where: { !$0.contains { $0.first == slash } }) {
            return "paths are absolute, and begin with a slash"
        }
        return nil
    }

    // MARK: Two places

    /// Whether what is wanted at one place rules out that anything is at the other.
    private static func excludes(
        _ outer: (path: ArgumentPath, tests: [ArgumentTest]),
        _ inner: (path: ArgumentPath, tests: [ArgumentTest])
    ) -> Bool {
        guard outer.tests.contains(where: \.needsSomething), inner.tests.contains(where: \.needsSomething) else {
            return false
        }
        let (left, right) = (outer.path.steps, inner.path.steps)
        let shared = zip(left, right).prefix { $0 == $1 }.count
        if shared < left.count, shared < right.count {
            // An array here, an object there.
            switch (left[shared], right[shared]) {
            case (.element, .member), (.member, .element): return true
            default: return false
            }
        }
        return left.count < right.count && outer.tests.contains(where: \.isAboutScalars)
    }
}

extension ArgumentTest {
    fileprivate var minimum: Double? { if case .min(let bound) = self { bound } else { nil } }
    fileprivate var maximum: Double? { if case .max(let bound) = self { bound } else { nil } }

    /// Whether it fails where nothing is.
    fileprivate var needsSomething: Bool { self != .present(false) }

    /// Whether only what has no parts passes.
    fileprivate var isAboutScalars: Bool {
        switch self {
        case .present, .below: false
        case .oneOf, .prefix, .min, .max: true
        }
    }
}

extension ArgumentConstant {
    /// The constant as it is found in an argument.
    fileprivate var part: ArgumentPart {
        switch self {
        case .null: .null
        case .bool(let bool): .bool(bool)
        case .number(let number): .number(number)
        case .text(let text): .text(text)
        }
    }
}
