// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import IPCProtocol
import Testing

@Suite("docs/audit.md")
struct AuditDocumentationTests {
    private static func text() throws -> String {
        let file = URL(filePath: #filePath).appending(path: "../../../../docs/audit.md").standardized
        return try String(contentsOf: file, encoding: .utf8)
    }

    /// One line of each type, with everything that may be in it.
    private static func lines() throws -> [[UInt8]] {
        let connection = AuditSample.connection(context: IPCValue(String(repeating: "c", count: 5000)))
        var request = AuditSample.request(argument: PolicyText.text("a"))
        request.shadow = AuditRequest.Shadow(isAllowed: true, rule: "r")
        request.repeats = 1
        let close = AuditClose(reason: "finished", openedAt: 0, closedAt: 1)
        return [
            AuditLine.open(connection, at: 0, wallClockOffset: 0),
            AuditLine.close(connection, close, wallClockOffset: 0), AuditLine.dropped(1, at: 0, wallClockOffset: 0),
            try AuditSample.line(request, connection, arguments: 100),
            try AuditSample.line(AuditSample.request(.listen), connection),
        ]
    }

    @Test("names every member, every type and every outcome")
    func members() throws {
        let text = try Self.text()
        var names = Set(AuditRequest.Outcome.allCases.map(\.rawValue))
        for line in try Self.lines() {
            let members = try AuditSample.parse(line)
            names.formUnion(members.keys)
            names.insert(try #require(members["type"] as? String))
        }
        #expect(names.count > 45)
        for name in names { #expect(text.contains("`\(name)`"), "\(name)") }
    }

    @Test("shows lines as they are")
    func examples() throws {
        let text = try Self.text()
        let block = try #require(text.components(separatedBy: "```json\n").dropFirst().first)
        let examples = try #require(block.components(separatedBy: "\n```").first).split(separator: "\n")
        #expect(examples.count == 3)
        for example in examples {
            let shown = try AuditSample.parse(Array("\(example)\n".utf8))
            let real = try Self.lines().map { try AuditSample.parse($0) }.first {
                $0["type"] as? String == shown["type"] as? String
            }
            let optional: Set = ["truncated", "shadow", "argument", "repeats"]
            #expect(Set(shown.keys) == Set(try #require(real).keys).subtracting(optional))
        }
    }

    @Test("has examples of the configuration without mistakes and warnings")
    func configuration() throws {
        let examples = try Self.text().components(separatedBy: "```yaml\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first
        }
        #expect(examples.count == 2)
        for example in examples {
            let configuration = try PolicyText.configuration(example)
            #expect(configuration.audit != nil)
            #expect(configuration.warnings.allSatisfy { !$0.path.hasPrefix("audit") })
        }
    }
}
