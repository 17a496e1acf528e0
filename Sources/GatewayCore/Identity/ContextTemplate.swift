// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A context with places for values that name the client: `remote:{uri.lastComponent}`.
///
/// Values are put in literally. One that could be taken for something else where the context is used, because it holds
/// a control character, a wildcard or a separator, is refused instead.
public struct ContextTemplate: Sendable, Hashable, CustomStringConvertible {
    /// Why a template, or a value for it, is refused.
    public struct Failure: Error, Hashable, CustomStringConvertible {
        /// What happened and what would be right.
        public var description: String
    }

    private enum Segment: Sendable, Hashable {
        case literal(String)
        case value(IdentityField, Part)
    }

    /// What of a value is put in.
    private enum Part: String, Sendable, CaseIterable {
        case whole
        /// What follows the last slash of a URI.
        case lastComponent
        /// The trust domain of a SPIFFE id.
        case trustDomain
        /// The path of a SPIFFE id, with its first slash.
        case path
    }

    private var segments: [Segment]

    /// The template as it was written.
    public let description: String

    /// Parses a template.
    public init(_ template: String) throws(Failure) {
        description = template
        segments = []
        var rest = template[...]
        while let open = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[open] == "{", let close = rest[open...].firstIndex(of: "}") else {
                throw Failure(description: "unbalanced brace in '\(template)'; a place is written {commonName}")
            }
            if open > rest.startIndex { segments.append(.literal(String(rest[..<open]))) }
            segments.append(try Self.place(String(rest[rest.index(after: open)..<close])))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { segments.append(.literal(String(rest))) }
        if segments.isEmpty { throw Failure(description: "a context cannot be empty") }
    }

    private static func place(_ name: String) throws(Failure) -> Segment {
        if let field = IdentityField(rawValue: name) { return .value(field, .whole) }
        let parts = Part.allCases.filter { $0 != .whole }
        if let part = parts.first(where: { "uri.\($0.rawValue)" == name }) { return .value(.uri, part) }
        let known = parts.map { "uri.\($0.rawValue)" } + IdentityField.allCases.map(\.rawValue)
        let hint =
            Spelling.nearest(to: name, in: known).map { "did you mean {\($0)}?" }
            ?? "known places: \(known.map { "{\($0)}" }.joined(separator: ", "))"
        throw Failure(description: "unknown place {\(name)}; \(hint)")
    }

    /// The fields whose values the template needs.
    public var fields: Set<IdentityField> {
        Set(segments.compactMap { if case .value(let field, _) = $0 { field } else { nil } })
    }

    /// The context for a client.
    ///
    /// - Parameter value: Gives the value of a field.
    func context(_ value: (IdentityField) throws(Failure) -> String) throws(Failure) -> String {
        var context = ""
        for segment in segments {
            switch segment {
            case .literal(let text):
                context += text
            case .value(let field, let part):
                context += try Self.substituted(try value(field), field, part)
            }
        }
        return context
    }

    private static func substituted(
        _ value: String,
        _ field: IdentityField,
        _ part: Part
    ) throws(Failure) -> String {
        let text = try selected(part, of: value)
        guard !text.isEmpty else {
            throw Failure(description: "\(field.phrase) '\(value)' leaves nothing for the context")
        }
        var refused: Set<Unicode.Scalar> = ["*", "?", "[", "]", "{", "}", "\\"]
        let keepsSeparators =
            part == .path || part == .whole && [.uri, .ip, .fingerprint, .publicKey, .executable].contains(field)
        if !keepsSeparators {
            refused.formUnion([":", "/"])
        }
        for scalar in text.unicodeScalars
        where refused.contains(scalar) || scalar.properties.generalCategory == .control {
            let shown = String(scalar).unicodeScalars.map { $0.escaped(asASCII: true) }.joined()
            throw Failure(
                description: "\(field.phrase) holds '\(shown)', which a context must not take from there"
            )
        }
        return text
    }

    private static func selected(_ part: Part, of value: String) throws(Failure) -> String {
        switch part {
        case .whole:
            return value
        case .lastComponent:
            let slash = value.utf8.lastIndex(of: UInt8(ascii: "/"))
            return slash.map { String(value[value.utf8.index(after: $0)...]) } ?? value
        case .trustDomain, .path:
            guard let id = SPIFFEID(value) else {
                throw Failure(
                    description:
                        "the certificate's uri '\(LogText.quoted(value))' is not a SPIFFE id, whose \(part.rawValue) the context needs"
                )
            }
            return part == .path ? id.path : id.trustDomain
        }
    }
}
