// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import Testing

@Suite("The audit log in the configuration")
struct AuditConfigurationTests {
    private static func settings(_ text: String) throws -> AuditSettings? {
        try PolicyText.configuration("audit: \(text)").audit
    }

    @Test("is off by default, and has documented defaults")
    func defaults() throws {
        #expect(try PolicyText.configuration("clients: []").audit == nil)
        let settings = try Self.settings("{ file: audit.jsonl }")
        #expect(settings == AuditSettings(destination: .file("audit.jsonl")))
        #expect(settings?.calls == .all)
        #expect(settings?.sample == 1)
        #expect(settings?.arguments == nil)
        #expect(settings?.queueLines == 8192)
        #expect(try Self.settings("{ stdout: true }")?.destination == .standardOutput)
        #expect(try Self.settings("{ syslog: true, calls: none }")?.calls == AuditSettings.Calls.none)
    }

    @Test("is read with every key")
    func everything() throws {
        let settings = try Self.settings(
            #"{ file: /a, calls: all, sample: 0.25, arguments: { bytes: 1KiB, redact: ["[0].password", a] }, queue: 16 }"#
        )
        let expected = AuditSettings(
            destination: .file("/a"),
            sample: 0.25,
            arguments: 1024,
            redact: [try ArgumentPath("[0].password"), try ArgumentPath("a")],
            queueLines: 16
        )
        #expect(settings == expected)
        #expect(try Self.settings("{ syslog: true, calls: denied, arguments: { bytes: 16 } }")?.calls == .denied)
    }

    @Test("finds its file from the configuration's folder")
    func path() throws {
        let text = """
            listeners: [{ address: 127.0.0.1:0, tls: { certificate: c, key: k, clientCA: a } }]
            upstreams: { main: { unix: s } }
            audit: { file: log/audit.jsonl }
            """
        let configuration = try GatewayConfiguration(yaml: text, file: "etc/gateway.yaml")
        #expect(configuration.audit?.path(in: configuration) == "etc/log/audit.jsonl")
    }

    @Test("warns of lines that the system's log may cut")
    func warning() throws {
        let configuration = try PolicyText.configuration("audit: { syslog: true, arguments: { bytes: 8KiB } }")
        #expect(configuration.warnings.contains { $0.path == "audit.arguments" })
    }

    @Test(
        "refuses what would be a guess, or without effect",
        arguments: [
            ("true", "audit: expected a mapping"), ("{}", "says nothing of where lines go"),
            ("{ calls: all }", "says nothing of where lines go"),
            ("{ file: a, stdout: true }", "audit: has file and stdout; expected one of"),
            ("{ file: a, stdout: true, syslog: true }", "has file and stdout and syslog"),
            ("{ stdout: false }", "audit.stdout: false says nothing"), ("{ syslog: yes }", "expected true or false"),
            ("{ file: ~ }", "audit.file: is empty"), ("{ file: [a] }", "expected the path of a file"),
            ("{ file: a, call: all }", "did you mean 'calls'?"), ("{ file: a, calls: some }", "expected one of all"),
            ("{ file: a, sample: 10% }", "a share from 0 to 1"), ("{ file: a, sample: 1.5 }", "a share from 0 to 1"),
            ("{ file: a, sample: -1 }", "a share from 0 to 1"), ("{ file: a, sample: nan }", "a share from 0 to 1"),
            ("{ file: a, arguments: true }", "audit.arguments: expected a mapping"),
            ("{ file: a, arguments: {} }", "audit.arguments: 'bytes' is missing"),
            ("{ file: a, arguments: { redact: [a] } }", "audit.arguments: 'bytes' is missing"),
            ("{ file: a, arguments: { bytes: 8 } }", "out of range"),
            ("{ file: a, arguments: { bytes: 1KiB, redact: a } }", "expected a list"),
            ("{ file: a, arguments: { bytes: 1KiB, redact: [] } }", "is empty"),
            ("{ file: a, arguments: { bytes: 1KiB, redact: [a..b] } }", "a name is missing"),
            ("{ file: a, arguments: { bytes: 1KiB, redact: [a, a] } }", "listed twice"),
            ("{ file: a, queue: 0 }", "a whole number from 16"), ("{ file: a, queue: 1KiB }", "a whole number"),
            ("{ file: a, calls: none, sample: 0.5 }", "audit.sample: has no effect"),
            ("{ file: a, calls: none, arguments: { bytes: 1KiB } }", "audit.arguments: has no effect"),
            ("{ file: a, calls: denied, sample: 0.5 }", "audit.sample: has no effect"),
        ]
    )
    func refuses(text: String, message: String) {
        var problems: [String] = []
        do throws(ConfigurationError) {
            _ = try PolicyText.configuration("audit: \(text)")
        } catch {
            problems = error.problems.map(\.description)
        }
        #expect(problems.contains { $0.contains(message) }, "\(problems)")
        #expect(problems.allSatisfy { $0.hasPrefix("gateway.yaml:4:") }, "\(problems)")
    }

    @Test("reports all mistakes at once")
    func allAtOnce() {
        #expect(throws: ConfigurationError.self) {
            do {
                _ = try Self.settings("{ stdout: no, calls: x, sample: y, arguments: { bytes: z }, queue: w, more: v }")
            } catch let error as ConfigurationError {
                #expect(error.problems.count == 6, "\(error)")
                throw error
            }
        }
    }
}
