// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

@testable import GatewayCore

/// Arguments: JSON as an independent reader has it, and conditions that hold only where that reader finds what they ask.
enum ArgumentTarget {
    private static let limits = IPCLimits(valueDepth: 20, jsonDepth: 24)

    static func run(_ input: [UInt8]) {
        let choice = input.first ?? 0
        let bytes = Array(input.dropFirst())
        if choice & 1 == 0 { readJSON(bytes) }
        judge(bytes)
        let count = UInt8(truncatingIfNeeded: min(bytes.count, 127))
        judge([5, count] + bytes.prefix(127))
    }

    private static func readJSON(_ bytes: [UInt8]) {
        var reader = StrictJSON(bytes, maxDepth: 24)
        let tree = reader.readOnly()
        var value = try? JSONText.parse(bytes.span, in: 0..<bytes.count, maxDepth: 24)
        // The defect: a number may start with 0.
        if Target.isSpoiled, bytes.count > 1, bytes.allSatisfy({ (0x30...0x39).contains($0) }) { value = value ?? 0 }
        require((tree != nil) == (value != nil), "JSON is JSON to both readers")
        guard let tree, let value else { return }
        require(tree.equals(value), "both readers read the same: \(tree), \(value)")
        let plain = UnambiguousJSON.parse(bytes.span, in: 0..<bytes.count, maxDepth: 24)
        require(!reader.hasDuplicates || plain == nil, "a key that is there twice is seen")
        require(plain == nil || plain == value, "JSON without doubt is the same JSON")
    }

    private static let conditions: [(path: [String], condition: ArgumentCondition, holds: @Sendable (Tree?) -> Bool)] =
        [
            make(".", [], .oneOf([.text(Array("a".utf8))])) { $0 == .text(Array("a".utf8)) },
            make("[0].path", ["0", "path"], .prefix([Array("/a".utf8)])) { tree in
                if case .text(let text)? = tree { text.starts(with: "/a".utf8) } else { false }
            },
            make("options.depth", ["options", "depth"], .min(3)) { tree in
                if case .number(let number)? = tree { number >= 3 } else { false }
            },
            make("[1]", ["1"], .present(true)) { $0 != nil && $0 != .undefined },
            make("a", ["a"], .present(false)) { $0 == nil || $0 == .undefined },
            make("[0]", ["0"], .oneOf([.null, .bool(true), .number(7)])) {
                $0 == .null || $0 == .bool(true) || $0 == .number(7)
            },
        ]

    private static func make(
        _ text: String,
        _ steps: [String],
        _ test: ArgumentTest,
        _ holds: @escaping @Sendable (Tree?) -> Bool
    ) -> (path: [String], condition: ArgumentCondition, holds: @Sendable (Tree?) -> Bool) {
        guard let path = try? ArgumentPath(text) else { fatalError("'\(text)' is no path") }
        return (steps, ArgumentCondition(path: path, tests: [test]), holds)
    }

    private static func judge(_ argument: [UInt8]) {
        guard (try? ValueWalker.validate(argument.span, limits: limits)) != nil else { return }
        var strict = StrictReader(argument, limits: limits)
        guard let tree = strict.readOnly() else { fatalError("does not hold: both readers accept the argument") }
        var reader = ArgumentReader(limits: limits)
        for (path, condition, holds) in conditions {
            let judgement = condition.judge(argument.span, &reader)
            require(judgement == condition.judge(argument.span, &reader), "a condition is judged alike twice")
            guard judgement == .holds else { continue }
            require(holds(part(path, of: tree)), "'\(condition.path)' holds for \(tree)")
        }
    }

    private static func part(_ path: [String], of tree: Tree) -> Tree? {
        var tree = tree
        for step in path {
            switch tree {
            case .array(let elements):
                guard let index = Int(step), elements.indices.contains(index) else { return nil }
                tree = elements[index]
            case .object(let members):
                guard let member = members[Array(step.utf8)] else { return nil }
                tree = member
            default: return nil
            }
        }
        return tree
    }
}
