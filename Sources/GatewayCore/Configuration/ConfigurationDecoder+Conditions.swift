// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// `when:`, what must hold of an argument.
extension ConfigurationDecoder {
    private static let tests = ["present", "equals", "oneOf", "prefix", "below", "min", "max"]

    /// The conditions, or nil when one of them has been reported.
    mutating func decodeConditions(_ node: Node, _ path: String) -> [ArgumentCondition]? {
        let what = "paths into the argument, as in  when: { \"[0].path\": { below: /srv } }"
        guard let members = reader.mapping(node, path, of: what) else { return nil }
        if members.isEmpty { reader.report(node, path, "is empty; leave it out, or add \(what)") }
        let before = reader.problems.count
        var conditions: [ArgumentCondition] = []
        for (key, node, keyNode) in members {
            do throws(ArgumentPath.Failure) {
                let place = try ArgumentPath(key)
                conditions.append(ArgumentCondition(path: place, tests: decodeTests(node, "\(path).\(key)")))
            } catch {
                reader.report(keyNode, path, error.description)
            }
        }
        return reader.problems.count == before ? conditions : nil
    }

    private mutating func decodeTests(_ node: Node, _ path: String) -> [ArgumentTest] {
        guard let section = reader.section(node, path, known: Self.tests) else { return [] }
        var tests: [ArgumentTest] = []
        for key in Self.tests {
            guard let node = section.members[key] else { continue }
            if let test = decodeTest(key, node, section.path(of: key)) { tests.append(test) }
        }
        if section.members.isEmpty {
            reader.report(node, path, "tests nothing; known tests: \(Self.tests.joined(separator: ", "))")
        }
        if tests.contains(.present(false)), tests.count > 1 {
            reader.report(node, path, "what is not present passes no other test")
        }
        if case .min(let min)? = tests.first(where: { if case .min = $0 { true } else { false } }),
            case .max(let max)? = tests.first(where: { if case .max = $0 { true } else { false } }), min > max
        {
            reader.report(node, path, "no number is at least \(min) and at most \(max)")
        }
        return tests
    }

    private mutating func decodeTest(_ key: String, _ node: Node, _ path: String) -> ArgumentTest? {
        switch key {
        case "present":
            return reader.boolean(node, path).map { .present($0) }
        case "equals":
            return decodeConstant(node, path).map { .oneOf([$0]) }
        case "oneOf":
            return decodeAll(node, path, "values") { decoder, node, path in decoder.decodeConstant(node, path) }
                .map { .oneOf($0) }
        case "prefix":
            return decodeOneOrMore(node, path, "texts") { decoder, node, path in
                decoder.reader.text(node, path, "the start of a text").map { Array($0.utf8) }
            }.map { .prefix($0) }
        case "below":
            return decodeOneOrMore(node, path, "folders") { decoder, node, path in decoder.decodeFolder(node, path) }
                .map { .below($0) }
        default:
            guard case .number(let bound)? = decodeConstant(node, path) else {
                reader.report(node, path, "expected a number")
                return nil
            }
            return key == "min" ? .min(bound) : .max(bound)
        }
    }

    private mutating func decodeFolder(_ node: Node, _ path: String) -> FolderPath? {
        let what = "an absolute path such as /srv/work"
        guard let text = reader.text(node, path, what) else { return nil }
        let folder = FolderPath(Array(text.utf8))
        if folder == nil { reader.report(node, path, "expected \(what), not '\(text)'") }
        return folder
    }

    /// A value with the kind that it has in YAML; where that would surprise somebody it has to be put in quotes.
    mutating func decodeConstant(_ node: Node, _ path: String) -> ArgumentConstant? {
        guard case .scalar(let scalar) = node else {
            reader.report(node, path, "expected a text, a number, true, false or null")
            return nil
        }
        if scalar.style != .plain { return .text(Array(scalar.string.utf8)) }
        switch scalar.string {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: break
        }
        if let number = Self.number(scalar.string) { return .number(number) }
        guard node.tag == Tag(.str) else {
            reader.report(
                node,
                path,
                "'\(scalar.string)' may be meant as something else than text; put it in quotes, or write true, false, "
                    + "null or a number as in JSON"
            )
            return nil
        }
        return .text(Array(scalar.string.utf8))
    }

    /// A number as JSON writes it.
    private static func number(_ text: String) -> Double? {
        let digits = text.drop { $0 == "-" }
        let isJSON =
            text.count - digits.count <= 1 && digits.first?.isWholeNumber == true
            && text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
            && !(digits.count > 1 && digits.first == "0" && digits.dropFirst().first?.isWholeNumber == true)
        guard isJSON, let number = Double(text), number.isFinite else { return nil }
        return number
    }

    // MARK: Lists

    private mutating func decodeAll<Value>(
        _ node: Node,
        _ path: String,
        _ what: String,
        _ decode: (inout ConfigurationDecoder, Node, String) -> Value?
    ) -> [Value]? {
        guard let items = reader.list(node, path, of: what) else { return nil }
        if items.isEmpty { reader.report(node, path, "is empty, so nothing would pass") }
        let values = items.map { decode(&self, $0.node, $0.path) }
        return values.contains { $0 == nil } ? nil : values.compactMap(\.self)
    }

    private mutating func decodeOneOrMore<Value>(
        _ node: Node,
        _ path: String,
        _ what: String,
        _ decode: (inout ConfigurationDecoder, Node, String) -> Value?
    ) -> [Value]? {
        if case .scalar = node { return decode(&self, node, path).map { [$0] } }
        return decodeAll(node, path, what, decode)
    }
}
