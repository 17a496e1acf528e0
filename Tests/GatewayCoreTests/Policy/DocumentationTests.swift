// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import Testing

@Suite("The examples of docs/policy.md")
struct DocumentationTests {
    private static func examples() throws -> [String] {
        let file = URL(filePath: #filePath).appending(path: "../../../../docs/policy.md").standardized
        let text = try String(contentsOf: file, encoding: .utf8)
        return text.components(separatedBy: "```yaml\n").dropFirst().compactMap {
            $0.components(separatedBy: "\n```").first
        }
    }

    @Test("are configurations without mistakes and warnings")
    func examples() throws {
        let examples = try Self.examples()
        #expect(examples.count == 11)
        for example in examples where !example.contains("expect:") {
            let client = "clients:\n  - match: { commonName: c }\n    context: c\n"
            let isRole = example.hasPrefix("roles:") && !example.contains("clients:")
            let sections =
                if isRole {
                    "\(example)\n\(client)    roles: [workspace-reader]"
                } else if example.hasPrefix("    allow:") {
                    client + example
                } else if example.hasPrefix("when:") {
                    client + "    allow:\n      - channel: c\n        call: [x]\n"
                        + example.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
                } else {
                    example
                }
            let configuration = try PolicyText.configuration(sections)
            #expect(configuration.warnings.isEmpty, "\(configuration.warnings)")
        }
    }

    @Test("of tools belong together: the table of expectations is met")
    func table() throws {
        let examples = try Self.examples()
        let sections = try #require(examples.first { $0.contains("shadow:\n") })
        let text = try #require(examples.first { $0.contains("expect:") })
        let table = try PolicyTable(yaml: text, file: "access-tests.yaml")
        let view = try #require(PolicyView(try PolicyText.configuration(sections), table.kind))
        let failures = table.failures(view, certificates: [:]).map(\.description)
        #expect(failures.isEmpty, "\(failures)")
    }

    @Test("mean what is said of them")
    func meaning() throws {
        let examples = try Self.examples()
        let all = try #require(examples.first { $0.contains("night-watch") })
        let watch = try #require(PolicyText.configuration(all).clients.last).policy
        #expect(watch.allowsCall("storage.main", "drop"))
        #expect(!watch.allowsCall("storage.main", "debugDump"))
        let files = try #require(examples.first { $0.contains("workspace-reader") })
        let reader = try PolicyText.configuration(
            files + "\nclients: [{ match: { commonName: c }, context: c, roles: [workspace-reader] }]"
        ).clients[0].policy
        func mayRead(_ path: String) -> Bool {
            let uri = PolicyText.json(#"{"$mid":1,"scheme":"file","path":"\#(path)"}"#)
            return reader.allowsCall("files", "readFile", PolicyText.array(uri))
        }
        #expect(mayRead("/srv/work/a"))
        #expect(!mayRead("/srv/work/.git/config"))
        #expect(!mayRead("/srv/work/../a"))
    }
}
