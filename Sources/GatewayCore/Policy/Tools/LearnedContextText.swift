// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Writes `context:` of an identity that was seen with some contexts.
struct LearnedContextText {
    /// The value of `context:`, in one line.
    let yaml: String
    /// What is not as it was.
    private(set) var warnings: [String] = []

    init(_ client: LearnedClient) {
        let contexts = client.contexts.map(\.context)
        // Without an open line nobody knows; one context can be assigned in either case.
        let isAssigned = client.isAssigned ?? true
        if client.isAssigned == nil {
            warnings.append("no open line says whether the gateway assigned the context; look at context:")
        }
        guard let last = contexts.last else {
            yaml = YAMLText.scalar("unknown")
            warnings.append("no context was recorded; write the right one to context:")
            return
        }
        if isAssigned {
            if let assigned = Self.assigned(last) {
                yaml = assigned
                return
            }
            warnings.append(
                "its context cannot be written as one to assign (it holds braces, for instance); it has to announce it"
            )
            yaml = Self.announced([last])
            return
        }
        let alike = contexts.filter { Self.shape($0) == Self.shape(last) }
        if alike.count < contexts.count {
            warnings.append("it announced contexts of several shapes; only those of the last shape are accepted")
        }
        yaml = Self.announced(alike)
        if case .object(let members) = last, Self.combinations(alike, members.count) > alike.count {
            warnings.append("it may combine the members of the contexts it announced")
        }
    }

    // MARK: Assigned

    private static func assigned(_ context: LearnedContext) -> String? {
        switch context {
        case .text(let text): return template(text)
        case .object(let members):
            let templates = members.map { (key: $0[0], template: template($0[1])) }
            guard !members.isEmpty, templates.allSatisfy({ $0.template != nil }) else { return nil }
            return
                "{ assign: { \(templates.map { "\(scalar($0.key)): \($0.template ?? "")" }.joined(separator: ", ")) } }"
        }
    }

    /// A template that stands for itself; nil where there is none.
    private static func template(_ text: [UInt8]) -> String? {
        let isOdd = text.isEmpty || text.starts(with: "\u{feff}".utf8)
        guard !isOdd, !text.contains(where: { "{}".utf8.contains($0) }) else { return nil }
        return scalar(text)
    }

    // MARK: Announced

    /// Contexts of one shape.
    private static func announced(_ contexts: [LearnedContext]) -> String {
        var texts: [[UInt8]] = []
        var values: [[UInt8]: Set<[UInt8]>] = [:]
        for context in contexts {
            switch context {
            case .text(let text): texts.append(text)
            case .object(let members): for member in members { values[member[0], default: []].insert(member[1]) }
            }
        }
        guard texts.isEmpty else { return "{ announced: \(list(texts)) }" }
        let members = values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { "\(scalar($0.key)): \(list(Array($0.value)))" }
        return "{ announced: { \(members.joined(separator: ", ")) } }"
    }

    private static func list(_ texts: [[UInt8]]) -> String {
        YAMLText.list(texts.sorted { $0.lexicographicallyPrecedes($1) }.map(Glob.text(matching:)))
    }

    private static func scalar(_ text: [UInt8]) -> String {
        YAMLText.scalar(String(decoding: text, as: UTF8.self))
    }

    /// The names of an object's members; nil for a text.
    private static func shape(_ context: LearnedContext) -> Set<[UInt8]>? {
        if case .object(let members) = context { Set(members.map { $0[0] }) } else { nil }
    }

    /// How many contexts an entry accepts that takes all values that were seen.
    private static func combinations(_ contexts: [LearnedContext], _ count: Int) -> Int {
        var values: [[UInt8]: Set<[UInt8]>] = [:]
        for case .object(let members) in contexts {
            for member in members { values[member[0], default: []].insert(member[1]) }
        }
        return values.values.reduce(1) { $0.multipliedReportingOverflow(by: $1.count).partialValue }
    }
}
