// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Yams

/// `context:` of client entries.
extension ConfigurationDecoder {
    mutating func decodeContext(_ node: Node, _ path: String) -> ContextRule? {
        guard case .mapping = node else { return decodeTemplate(node, path).map { .assigned($0) } }
        guard let section = reader.section(node, path, known: ["announced", "assign"]) else { return nil }
        switch (section.members["announced"], section.members["assign"]) {
        case (let announced?, nil):
            return decodeAnnounced(announced, section.path(of: "announced"))
        case (nil, let assign?):
            return decodeMembers(assign, section.path(of: "assign"), "templates") { decoder, node, path in
                decoder.decodeTemplate(node, path)
            }.map { .assignedObject($0) }
        default:
            reader.report(
                node,
                path,
                "expected either 'announced', patterns for the context the client announces, or 'assign', an object"
            )
            return nil
        }
    }

    private mutating func decodeAnnounced(_ node: Node, _ path: String) -> ContextRule? {
        if case .mapping = node {
            return decodeMembers(node, path, "patterns") { decoder, node, path in
                decoder.decodeContextPatterns(node, path)
            }.map { .announcedObject($0) }
        }
        return decodeContextPatterns(node, path).map { .announced($0) }
    }

    private mutating func decodeContextPatterns(_ node: Node, _ path: String) -> [Glob]? {
        let patterns = decodePatterns(node, path, "patterns for the context")
        if patterns?.isEmpty == true { reader.report(node, path, "is empty, so no context would be accepted") }
        return patterns
    }

    private mutating func decodeMembers<Value: Sendable & Hashable>(
        _ node: Node,
        _ path: String,
        _ what: String,
        _ decode: (inout ConfigurationDecoder, Node, String) -> Value?
    ) -> [ContextMember<Value>]? {
        let what = "\(what) for the context's members, such as clientId"
        guard let members = reader.mapping(node, path, of: what) else { return nil }
        if members.isEmpty { reader.report(node, path, "is empty; expected \(what)") }
        var result: [ContextMember<Value>] = []
        for (key, node, keyNode) in members {
            if key == "__proto__" { reader.report(keyNode, path, "'__proto__' is no member that a server could trust") }
            guard let value = decode(&self, node, "\(path).\(key)") else { return nil }
            result.append(ContextMember(key: IPCString(key), value: value))
        }
        return result
    }

    private mutating func decodeTemplate(_ node: Node, _ path: String) -> ContextTemplate? {
        guard let text = reader.text(node, path, "a context such as \"remote:{commonName}\"") else { return nil }
        do throws(ContextTemplate.Failure) {
            return try ContextTemplate(text)
        } catch {
            reader.report(node, path, error.description)
            return nil
        }
    }
}
