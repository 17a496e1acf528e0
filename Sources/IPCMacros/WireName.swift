// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftParser
internal import SwiftSyntax

/// A name as it travels. What it means to VS Code's `ProxyChannel` is in its first letters (PROTOCOL 6.1).
struct WireName: Hashable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    /// The name of a declaration: its base name, without back-quotes.
    init(_ token: TokenSyntax) {
        text = token.identifier?.name ?? token.text
    }

    /// The name that an `@IPCName` gives; nil where there is none to be read.
    init?(literalOf attribute: AttributeSyntax) {
        guard case .argumentList(let arguments) = attribute.arguments,
            let literal = arguments.first?.expression.as(StringLiteralExprSyntax.self),
            let text = literal.representedLiteralValue, !text.isEmpty
        else { return nil }
        self.text = text
    }

    /// Whether it is an event: `on` and a capital.
    var isEvent: Bool { Self.hasCapital(text, after: "on") }

    /// Whether it is a dynamic event: `onDynamic` and a capital.
    var isDynamicEvent: Bool { Self.hasCapital(text, after: "onDynamic") }

    /// An event by this name.
    var asEvent: Self { Self("on" + capitalized) }

    /// A dynamic event by this name.
    var asDynamicEvent: Self {
        Self("onDynamic" + (isEvent ? String(text.dropFirst(2)) : capitalized))
    }

    private var capitalized: String {
        text.prefix(1).uppercased() + text.dropFirst()
    }

    private static func hasCapital(_ text: String, after prefix: String) -> Bool {
        guard text.utf8.starts(with: prefix.utf8) else { return false }
        let next = text.utf8.dropFirst(prefix.utf8.count).first
        return next.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } ?? false
    }
}

extension AttributeListSyntax {
    /// The attribute of a name, also when it is written `IPC.Name`.
    func first(named name: String) -> AttributeSyntax? {
        for case .attribute(let attribute) in self {
            let written = attribute.attributeName.trimmedDescription
            if written == name || written == "IPC.\(name)" { return attribute }
        }
        return nil
    }
}
