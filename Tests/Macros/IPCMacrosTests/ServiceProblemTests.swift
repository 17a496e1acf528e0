// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import SwiftSyntaxMacrosGenericTestSupport
import Testing

@Suite("A service is refused")
struct ServiceProblemTests {
    @Test("that is not a protocol")
    func notAProtocol() {
        expectExpansion(
            of: """
                @IPCService
                struct Storage: Sendable {}
                """,
            """
            struct Storage: Sendable {}
            """,
            diagnostics: [
                DiagnosticSpec(
                    message: "@IPCService makes a client and a channel of a protocol: attach it to one",
                    line: 1,
                    column: 1
                )
            ]
        )
    }

    @Test("that is not Sendable")
    func notSendable() {
        expectExpansion(
            of: """
                @IPCService
                public protocol Storage {}
                """,
            """
            public protocol Storage {}
            """,
            diagnostics: [
                DiagnosticSpec(
                    message: "Storage must be Sendable: it is called from any task",
                    line: 2,
                    column: 17,
                    fixIts: [FixItSpec(message: "inherit from Sendable")]
                )
            ],
            fixed: """
                @IPCService
                public protocol Storage: Sendable {}
                """
        )
    }

    @Test("that inherits what the macro cannot see")
    func inheritance() {
        expectExpansion(
            of: """
                @IPCService
                protocol Storage: Swift.Sendable, Reading, AnyObject {}
                """,
            """
            protocol Storage: Swift.Sendable, Reading, AnyObject {}
            """,
            diagnostics: [("Reading", 35), ("AnyObject", 44)].map { name, column in
                DiagnosticSpec(
                    message: "a service can inherit from Sendable only: "
                        + "what '\(name)' requires, @IPCService does not see",
                    line: 2,
                    column: column
                )
            }
        )
    }

    @Test("that has associated types")
    func associatedTypes() {
        let message = "an associated type cannot be part of a service, which has methods and events"
        expectExpansion(
            of: """
                @IPCService
                protocol Storage<Key>: Sendable {
                    associatedtype Key
                }
                """,
            """
            protocol Storage<Key>: Sendable {
                associatedtype Key
            }
            """,
            diagnostics: [
                DiagnosticSpec(message: message, line: 2, column: 17),
                DiagnosticSpec(message: message, line: 3, column: 5),
            ]
        )
    }

    @Test("that has a name twice, in Swift or on the wire")
    func duplicates() {
        func duplicate(_ name: String, _ line: Int, _ column: Int, first: (line: Int, column: Int)) -> DiagnosticSpec {
            DiagnosticSpec(
                message: "'\(name)' is there already: only base names travel, "
                    + "so give this one another with @IPCName(\"…\")",
                line: line,
                column: column,
                notes: [NoteSpec(message: "the first one", line: first.line, column: first.column)]
            )
        }
        expectExpansion(
            of: """
                @IPCService
                protocol Storage: Sendable {
                    func get(_ key: String) async throws -> String
                    func get(_ key: Int) async throws -> String
                    @IPCName("get") func find() async throws
                    @IPCName("getAll") func get() async throws
                    var onA: Event<Int> { get }
                    @IPCName("onA") var onB: Event<Int> { get }
                }
                """,
            """
            protocol Storage: Sendable {
                func get(_ key: String) async throws -> String
                func get(_ key: Int) async throws -> String
                func find() async throws
                func get() async throws
                var onA: Event<Int> { get }
                var onB: Event<Int> { get }
            }
            """,
            diagnostics: [
                duplicate("get", 4, 10, first: (3, 10)),
                duplicate("get", 5, 26, first: (3, 10)),
                duplicate("onA", 8, 25, first: (7, 9)),
            ]
        )
    }
}

@Suite("A name for the wire is refused")
struct NameProblemTests {
    @Test("where there is no service")
    func withoutService() {
        expectExpansion(
            of: """
                protocol Storage {
                    @IPCName("getItem") func get() async throws
                }
                @IPCName("a") func a() {}
                """,
            """
            protocol Storage {
                func get() async throws
            }
            func a() {}
            """,
            diagnostics: [(2, 5), (4, 1)].map { line, column in
                DiagnosticSpec(
                    message: "@IPCName names a method or an event of a protocol with @IPCService",
                    line: line,
                    column: column
                )
            }
        )
    }

    @Test("that is not a literal, or empty", arguments: ["name", "\"\"", "\"get\\(1)\"", ""])
    func notLiteral(argument: String) {
        expectExpansion(
            of: """
                @IPC.IPCService
                protocol Storage: Sendable {
                    @IPCName(\(argument)) func get()
                }
                """,
            """
            @IPC.IPCService
            protocol Storage: Sendable {
                func get()
            }
            """,
            diagnostics: [
                DiagnosticSpec(message: "@IPCName takes a string literal that is not empty", line: 3, column: 5)
            ]
        )
    }
}
