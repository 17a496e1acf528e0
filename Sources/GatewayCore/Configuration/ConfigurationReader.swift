// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// Reads YAML nodes strictly and collects every problem instead of stopping at the first.
///
/// A method that cannot give a value has reported why and returns nil, so that callers go on with the rest of the file.
struct ConfigurationReader {
    /// A mapping of the document whose keys are all known.
    struct Section {
        var node: Node
        var path: String
        var members: [String: Node]

        /// The path of a member.
        func path(of key: String) -> String {
            path.isEmpty ? key : "\(path).\(key)"
        }
    }

    let file: String
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var warnings: [ConfigurationProblem] = []

    init(file: String) {
        self.file = file
    }

    mutating func report(_ node: Node, _ path: String, _ message: String) {
        problems.append(problem(node, path, message))
    }

    mutating func warn(_ node: Node, _ path: String, _ message: String) {
        warnings.append(problem(node, path, message))
    }

    /// Warns of what has been read before and is no node any more.
    mutating func warn(line: Int?, _ path: String, _ message: String) {
        warnings.append(ConfigurationProblem(file: file, line: line, path: path, message: message))
    }

    private func problem(_ node: Node, _ path: String, _ message: String) -> ConfigurationProblem {
        ConfigurationProblem(
            file: file,
            line: node.mark?.line,
            column: node.mark?.column,
            path: path,
            message: message
        )
    }

    // MARK: Shapes

    /// A mapping with no other keys than `known`; others are reported, each with the nearest known one.
    mutating func section(_ node: Node, _ path: String, known: [String]) -> Section? {
        guard let members = mapping(node, path, of: "keys \(known.joined(separator: ", "))") else { return nil }
        var section = Section(node: node, path: path, members: [:])
        for (key, value, keyNode) in members {
            if known.contains(key) {
                section.members[key] = value
            } else {
                let near = Spelling.nearest(to: key, in: known)
                let hint = near.map { "did you mean '\($0)'?" } ?? "known keys: \(known.joined(separator: ", "))"
                report(keyNode, section.path(of: key), "unknown key; \(hint)")
            }
        }
        return section
    }

    /// Any mapping from names to values, in the order of the file.
    mutating func mapping(
        _ node: Node,
        _ path: String,
        of what: String
    ) -> [(key: String, value: Node, keyNode: Node)]? {
        guard case .mapping(let mapping) = node else {
            report(node, path, "expected a mapping with \(what), not \(kind(of: node))")
            return nil
        }
        var members: [(key: String, value: Node, keyNode: Node)] = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                report(key, path, "a key must be a plain name")
                continue
            }
            members.append((scalar.string, value, key))
        }
        return members
    }

    /// The items of a list.
    mutating func list(_ node: Node, _ path: String, of what: String) -> [(node: Node, path: String)]? {
        guard case .sequence(let sequence) = node else {
            report(node, path, "expected a list of \(what), not \(kind(of: node))")
            return nil
        }
        return sequence.enumerated().map { ($0.element, "\(path)[\($0.offset)]") }
    }

    /// A member that must be there.
    mutating func required(_ section: Section, _ key: String, _ what: String) -> Node? {
        if let node = section.members[key] { return node }
        report(section.node, section.path, "'\(key)' is missing: \(what)")
        return nil
    }

    // MARK: Scalars

    /// Text that is not empty.
    mutating func text(_ node: Node, _ path: String, _ what: String) -> String? {
        guard case .scalar(let scalar) = node else {
            report(node, path, "expected \(what), not \(kind(of: node))")
            return nil
        }
        guard !scalar.string.isEmpty, !isNull(scalar) else {
            report(node, path, "is empty; expected \(what)")
            return nil
        }
        return scalar.string
    }

    /// Text for the system or for people, such as a path: not empty, and without control characters.
    mutating func plainText(_ node: Node, _ path: String, _ what: String) -> String? {
        guard let text = text(node, path, what) else { return nil }
        guard text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control }) else {
            report(node, path, "holds a control character; expected \(what)")
            return nil
        }
        return text
    }

    /// A list of texts, each not empty. One text alone is a mistake: its meaning as a list would be a guess.
    mutating func texts(_ node: Node, _ path: String, of what: String) -> [String]? {
        guard let items = list(node, path, of: what) else { return nil }
        let texts = items.map { text($0.node, $0.path, what) }
        return texts.contains { $0 == nil } ? nil : texts.compactMap(\.self)
    }

    /// `true` or `false`.
    mutating func boolean(_ node: Node, _ path: String) -> Bool? {
        guard let text = text(node, path, "true or false") else { return nil }
        switch text {
        case "true": return true
        case "false": return false
        default:
            report(node, path, "expected true or false, not '\(text)'")
            return nil
        }
    }

    /// A whole number within `range`.
    mutating func integer(_ node: Node, _ path: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(node, path, "a whole number") else { return nil }
        guard let number = Int(text), range.contains(number) else {
            report(
                node,
                path,
                "expected a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'"
            )
            return nil
        }
        return number
    }

    /// A size such as `16MiB`, `64KiB` or `4096` (bytes), within `range`.
    mutating func size(_ node: Node, _ path: String, in range: ClosedRange<Int>) -> Int? {
        let units: [(String, Int)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("", 1)]
        return quantity(node, path, "a size such as 16MiB, 64KiB or 4096 (bytes)", units, in: range)
    }

    /// A duration such as `10s`, `500ms`, `5m` or `1h`, in nanoseconds; from 1 ms to 24 h.
    mutating func duration(_ node: Node, _ path: String) -> UInt64? {
        let second = 1_000_000_000
        let units: [(String, Int)] = [("ms", second / 1000), ("s", second), ("m", 60 * second), ("h", 3600 * second)]
        let range = second / 1000...24 * 3600 * second
        return quantity(node, path, "a duration from 1ms to 24h, such as 10s, 500ms or 5m", units, in: range)
            .map(UInt64.init)
    }

    private mutating func quantity(
        _ node: Node,
        _ path: String,
        _ what: String,
        _ units: [(suffix: String, factor: Int)],
        in range: ClosedRange<Int>
    ) -> Int? {
        guard let text = text(node, path, what) else { return nil }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let suffix = text.dropFirst(digits.count)
        guard let unit = units.first(where: { $0.suffix == suffix }), let number = Int(digits) else {
            report(node, path, "expected \(what), not '\(text)'")
            return nil
        }
        let (value, overflow) = number.multipliedReportingOverflow(by: unit.factor)
        guard !overflow, range.contains(value) else {
            report(node, path, "'\(text)' is out of range; expected \(what)")
            return nil
        }
        return value
    }

    /// One of a few words.
    mutating func choice(_ node: Node, _ path: String, of choices: [String]) -> String? {
        let what = "one of \(choices.joined(separator: ", "))"
        guard let text = text(node, path, what) else { return nil }
        guard choices.contains(text) else {
            let near = Spelling.nearest(to: text, in: choices).map { "; did you mean '\($0)'?" } ?? ""
            report(node, path, "expected \(what), not '\(text)'\(near)")
            return nil
        }
        return text
    }

    private func isNull(_ scalar: Node.Scalar) -> Bool {
        scalar.style == .plain && ["~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private func kind(of node: Node) -> String {
        switch node {
        case .scalar(let scalar): scalar.string.isEmpty || isNull(scalar) ? "nothing" : "the text '\(scalar.string)'"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
