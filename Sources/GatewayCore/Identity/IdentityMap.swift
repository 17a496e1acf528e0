// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
public import TLSEngine

/// Decides which client entry a certificate, or a local client, belongs to.
///
/// The fields are tried in the configured order. At the first field at which some entry matches, all values of that
/// field and all entries count: one distinct result is the answer, two or more refuse. No result at any field refuses.
/// An entry that names several fields is judged at the first of them, and each of its fields must match.
public struct IdentityMap: Sendable {
    /// One client entry, as far as identity is concerned.
    public struct Entry: Sendable {
        /// Fields, all of which must match, each by one of its patterns.
        public var match: [IdentityField: [Glob]]
        /// How the context comes about.
        public var context: ContextRule

        /// Makes an entry.
        public init(match: [IdentityField: [Glob]], context: ContextRule) {
            self.match = match
            self.context = context
        }
    }

    /// Whom a certificate, or what the kernel says, names.
    public struct Resolution: Sendable, Hashable {
        /// The index of the entry.
        public var entry: Int
        /// Its context.
        public var grant: ContextGrant
        /// The field that decided.
        public var field: IdentityField
        /// The value of that field that matched.
        public var value: String
        /// All that the entry went by: the fields that it asks for or makes the context of, with the values that
        /// matched. Of a local client also the user.
        public var match: [IdentityField: [String]] = [:]

        /// Whether the gateway makes the context, instead of the client.
        public var isContextAssigned: Bool {
            if case .assigned = grant { true } else { false }
        }
    }

    /// The fields, in order.
    public var fields: [IdentityField]
    /// The entries; their order does not matter.
    public var entries: [Entry]

    /// Makes a map.
    public init(fields: [IdentityField], entries: [Entry]) {
        self.fields = fields
        self.entries = entries
    }

    /// The entry of the certificate's owner, or why there is none.
    public func resolve(_ identity: CertificateIdentity) throws(CloseReason) -> Resolution {
        try resolve(.certificate(identity))
    }

    /// The entry of a client, or why there is none.
    public func resolve(_ identity: PeerIdentity) throws(CloseReason) -> Resolution {
        for field in fields {
            var results: [Resolution] = []
            for index in entries.indices where judgingField(of: entries[index]) == field {
                for value in field.values(in: identity) where matches(entries[index], identity, field, value) {
                    let grant = try grant(entries[index], identity, field, value)
                    let result = Resolution(entry: index, grant: grant, field: field, value: value)
                    let isNew = !results.contains { $0.entry == result.entry && $0.grant == result.grant }
                    if isNew { results.append(result) }
                }
            }
            if results.count > 1 { throw ambiguous(results, field) }
            if var result = results.first {
                result.match = match(of: entries[result.entry], identity, field, result.value)
                return result
            }
        }
        throw Self.notMapped(identity)
    }

    private static func notMapped(_ identity: PeerIdentity) -> CloseReason {
        let names = LogText.names(of: identity)
        let message =
            switch identity {
            case .certificate:
                "no entry of clients: matches the certificate (\(names)); "
                    + "'ipc-gateway certs inspect' prints what an entry can match"
            case .local: "no entry of clients: matches the local client (\(names))"
            }
        return CloseReason(.identityNotMapped, message)
    }

    private func judgingField(of entry: Entry) -> IdentityField? {
        fields.first { entry.match[$0] != nil }
    }

    private func matches(
        _ entry: Entry,
        _ identity: PeerIdentity,
        _ field: IdentityField,
        _ value: String
    ) -> Bool {
        entry.match.allSatisfy { other, patterns in
            (other == field ? [value] : other.values(in: identity)).contains { value in
                patterns.contains { $0.matches(value) }
            }
        }
    }

    /// What an entry that matches went by, the deciding field with the deciding value.
    private func match(
        of entry: Entry,
        _ identity: PeerIdentity,
        _ field: IdentityField,
        _ value: String
    ) -> [IdentityField: [String]] {
        // An entry can ask only for fields that are judged at all.
        var asked = Set(entry.match.keys).union(entry.context.fields.intersection(fields))
        if case .local = identity { asked.insert(.uid) }
        var match: [IdentityField: [String]] = [:]
        for other in asked where other != field {
            match[other] = other.values(in: identity).filter { value in
                entry.match[other]?.contains { $0.matches(value) } ?? true
            }
        }
        match[field] = [value]
        return match
    }

    private func grant(
        _ entry: Entry,
        _ identity: PeerIdentity,
        _ field: IdentityField,
        _ value: String
    ) throws(CloseReason) -> ContextGrant {
        func filled(_ template: ContextTemplate) throws(ContextTemplate.Failure) -> IPCValue {
            let text = try template.context { wanted throws(ContextTemplate.Failure) in
                wanted == field ? value : try Self.onlyValue(of: wanted, in: identity, entry)
            }
            return IPCValue(text)
        }
        do throws(ContextTemplate.Failure) {
            switch entry.context {
            case .announced(let patterns):
                return .announced(patterns)
            case .announcedObject(let members):
                return .announcedObject(members)
            case .assigned(let template):
                return .assigned(try filled(template))
            case .assignedObject(let members):
                var object: [IPCObject.Member] = []
                for member in members { object.append(.init(key: member.key, value: try filled(member.value))) }
                return .assigned(.object(IPCObject(object)))
            }
        } catch {
            throw CloseReason(.identityRefused, error.description)
        }
    }

    /// The value of a field other than the deciding one: the one the entry's patterns match, or the only one.
    private static func onlyValue(
        of field: IdentityField,
        in identity: PeerIdentity,
        _ entry: Entry
    ) throws(ContextTemplate.Failure) -> String {
        let values = field.values(in: identity).filter { value in
            entry.match[field]?.contains { $0.matches(value) } ?? true
        }
        guard let value = values.first, values.allSatisfy({ $0.utf8.elementsEqual(value.utf8) }) else {
            throw ContextTemplate.Failure(
                description: values.isEmpty
                    ? "the context needs \(field.phrase), which is not there"
                    : "the context needs one \(field.rawValue), but there are \(values.count)"
            )
        }
        return value
    }

    private func ambiguous(_ results: [Resolution], _ field: IdentityField) -> CloseReason {
        let values = results.map { "'\(LogText.quoted($0.value))'" }.joined(separator: ", ")
        return CloseReason(
            .identityAmbiguous,
            "\(field.phrase) leads to \(results.count) different results (\(values)); "
                + "make the patterns of clients: disjoint"
        )
    }
}
