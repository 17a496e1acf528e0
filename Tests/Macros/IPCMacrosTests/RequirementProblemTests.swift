// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import SwiftSyntaxMacrosGenericTestSupport
import Testing

/// A requirement that cannot be part of a service.
struct Refused: CustomTestStringConvertible {
    /// What is refused.
    var requirement: String
    /// Where the complaint points, in columns of the requirement from 1.
    var column: Int
    var message: String
    /// What repairs it, and the requirement after that.
    var fix: (message: String, requirement: String)?

    init(_ requirement: String, _ column: Int, _ message: String, fix: (message: String, requirement: String)? = nil) {
        self.requirement = requirement
        self.column = column
        self.message = message
        self.fix = fix
    }

    var testDescription: String { requirement }

    func check(sourceLocation: Testing.SourceLocation = #_sourceLocation) {
        let name = #/@IPCName\([^)]*\) /#
        expectExpansion(
            of: "@IPCService\n" + Self.service(requirement),
            Self.service(requirement.replacing(name, with: "")),
            diagnostics: [
                DiagnosticSpec(
                    message: message,
                    line: 3,
                    column: column + 4,
                    fixIts: fix.map { [FixItSpec(message: $0.message)] } ?? []
                )
            ],
            fixed: fix.map { "@IPCService\n" + Self.service($0.requirement) },
            sourceLocation: sourceLocation
        )
    }

    private static func service(_ requirement: String) -> String {
        "protocol Storage: Sendable {\n    \(requirement)\n}"
    }
}

@Suite("A requirement is refused")
struct RequirementProblemTests {
    @Test(
        "that is neither a method nor an event",
        arguments: [
            Refused("subscript(key: String) -> Int { get }", 1, member("a subscript")),
            Refused("init(path: String)", 1, member("an initializer")),
            Refused("#if DEBUG\n    #endif", 1, member("what is conditional")),
            Refused("#something", 1, member("this")),
            Refused(
                "var count: Int { get }",
                5,
                "'count' is a property but not an event, and only events can be properties; make it a method"
            ),
            Refused(
                "var onCount: (Int)? { get }",
                5,
                "'onCount' is a property but not an event, and only events can be properties; make it a method"
            ),
            Refused(
                "@IPCName(\"size\") var onCount: Int { get }",
                22,
                "'size' is a property but not an event, and only events can be properties; make it a method"
            ),
        ]
    )
    func members(refused: Refused) {
        refused.check()
    }

    @Test(
        "that a peer cannot call",
        arguments: [
            Refused("static func a() async throws", 1, staticMessage),
            Refused("static var onChange: Event<Int> { get }", 1, staticMessage),
            Refused(
                "mutating func a() async throws",
                1,
                "a service is shared by all who call it: it cannot be mutating"
            ),
            Refused("func a<T: Codable>(_ a: T) async throws", 7, genericMessage),
            Refused("func a(_ a: some Codable) async throws", 13, genericMessage),
            Refused(
                "func a(_ a: inout Int) async throws",
                13,
                "an 'inout' parameter cannot travel; return what changes"
            ),
            Refused("func a(_ a: Int...) async throws", 16, "a variadic parameter cannot travel; take an array"),
            Refused(
                "func a(_ a: @escaping @Sendable (Int) -> Void) async throws",
                13,
                "a closure cannot travel; use an event"
            ),
            Refused("func then() async throws", 6, "JavaScript calls 'then' when it awaits a proxy; name it otherwise"),
        ]
    )
    func callable(refused: Refused) {
        refused.check()
    }

    @Test(
        "that is a method but not async throws",
        arguments: [
            Refused("func a()", 6, effects("async throws"), fix: ("add 'async throws'", "func a() async throws")),
            Refused(
                "func a() -> Int // why",
                6,
                effects("async throws"),
                fix: ("add 'async throws'", "func a() async throws -> Int // why")
            ),
            Refused("func a() async", 6, effects("throws"), fix: ("add 'throws'", "func a() async throws")),
            Refused(
                "func a() async -> Int",
                6,
                effects("throws"),
                fix: ("add 'throws'", "func a() async throws -> Int")
            ),
            Refused(
                "func a() throws -> Int",
                6,
                effects("async"),
                fix: ("add 'async'", "func a() async throws -> Int")
            ),
            Refused(
                "func a() async throws(RemoteError) -> Int",
                16,
                "a method must throw any error: a connection has errors of its own",
                fix: ("remove the type", "func a() async throws -> Int")
            ),
            Refused(
                "func onChange() async throws",
                6,
                "'onChange' is named like an event but is none: name it otherwise"
            ),
            Refused(
                "func onDynamicChange(_ a: Int) -> Bool",
                6,
                "'onDynamicChange' is named like an event but is none: name it otherwise"
            ),
            Refused(
                "func onDynamicChange(_ a: Int) async throws -> Int",
                6,
                "'onDynamicChange' is named like an event but is none: name it otherwise"
            ),
            Refused(
                "@IPCName(\"onChange\") func change() async throws -> Int",
                27,
                "'onChange' is named like an event but is none: name it otherwise"
            ),
        ]
    )
    func methods(refused: Refused) {
        refused.check()
    }

    private static func member(_ what: String) -> String {
        "\(what) cannot be part of a service, which has methods and events"
    }

    private static func effects(_ missing: String) -> String {
        "a method must be 'async throws': it waits for a peer, which may fail or go away; '\(missing)' is missing"
    }

    private static var staticMessage: String {
        "a static requirement cannot be called by a peer, which has an instance"
    }
    private static var genericMessage: String {
        "a generic method cannot be called by a peer, which does not know the types"
    }
}
