// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

extension IdentityMap {
    /// The context a client has, or may have.
    ///
    /// Two are equal when they are byte for byte: `String ==` takes two spellings of a letter for one.
    public enum ContextGrant: Sendable, Hashable {
        /// This one, whatever it announces.
        case assigned(IPCValue)
        /// A text it announces, if it matches a pattern.
        case announced([Glob])
        /// An object it announces with exactly these members, if each is a text that matches one of its patterns.
        case announcedObject([ContextMember<[Glob]>])

        /// The context of a client that announces a value.
        ///
        /// - Parameters:
        ///   - announced: The encoded value, which ``ValueWalker`` has accepted.
        ///   - limits: The bounds it was accepted with.
        /// - Throws: Why the client may not announce it.
        public func context(announced: Span<UInt8>, limits: IPCLimits) throws(CloseReason) -> IPCValue {
            switch self {
            case .assigned(let context):
                return context
            case .announced(let patterns):
                return .string(try Self.text(announced, limits, patterns))
            case .announcedObject(let members):
                return .object(try Self.object(announced, limits, members))
            }
        }

        /// A context that is a text comes as one (tag 1): the same in JSON is another form of the same, and refused.
        private static func text(
            _ announced: Span<UInt8>,
            _ limits: IPCLimits,
            _ patterns: [Glob]
        ) throws(CloseReason) -> IPCString {
            guard announced.count > 0, announced[0] == 1,
                case .string(let text)? = try? ValueDecoder(mode: .strict, limits: limits).decode(announced)
            else { throw notAllowed("the announced context is not a string, which this client's entry asks for") }
            guard patterns.contains(where: { $0.matches(text.wtf8.span) }) else {
                throw notAllowed("this client may not announce the context \(quoted(text)); \(allowed(patterns))")
            }
            return text
        }

        private static func object(
            _ announced: Span<UInt8>,
            _ limits: IPCLimits,
            _ members: [ContextMember<[Glob]>]
        ) throws(CloseReason) -> IPCObject {
            let names = members.map { quoted($0.key) }.joined(separator: ", ")
            guard let value = jsonValue(announced, limits) else {
                throw notAllowed(
                    "the announced context is not an object with \(names), or it holds a key twice or '__proto__'"
                )
            }
            guard let object = value.object else {
                throw notAllowed("the announced context is not an object, which this client's entry asks for")
            }
            for member in object.members {
                let name = quoted(member.key)
                guard let patterns = members.first(where: { $0.key == member.key })?.value else {
                    throw notAllowed("the announced context has the member \(name); this client may announce \(names)")
                }
                guard case .string(let text) = member.value, !text.hasLoneSurrogate else {
                    throw notAllowed("the announced context's \(name) is not a string")
                }
                guard patterns.contains(where: { $0.matches(text.wtf8.span) }) else {
                    throw notAllowed(
                        "this client may not announce a context with the \(name) \(quoted(text)); \(allowed(patterns))"
                    )
                }
            }
            for member in members where object[member.key] == nil {
                throw notAllowed(
                    "the announced context has no \(quoted(member.key)), which this client's entry asks for"
                )
            }
            return object
        }

        /// The value of JSON (tag 5) that everybody reads alike; nil for everything else.
        private static func jsonValue(_ announced: Span<UInt8>, _ limits: IPCLimits) -> IPCValue? {
            guard announced.count > 0, announced[0] == 5 else { return nil }
            var offset = 1
            guard let count = try? VQL.readCount(announced, at: &offset), count == announced.count - offset else {
                return nil
            }
            return UnambiguousJSON.parse(announced, in: offset..<announced.count, maxDepth: limits.jsonDepth)
        }

        private static func notAllowed(_ message: String) -> CloseReason {
            CloseReason(.contextNotAllowed, message)
        }

        private static func quoted(_ text: IPCString) -> String {
            "'\(LogText.quoted(text.description))'"
        }

        private static func allowed(_ patterns: [Glob]) -> String {
            "allowed: " + patterns.map { "'\($0)'" }.joined(separator: ", ")
        }
    }
}
