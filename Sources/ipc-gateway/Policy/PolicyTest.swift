// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import TLSEngine

/// `ipc-gateway policy test`.
struct PolicyTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Hold a table of expectations against the rules of a configuration.",
        discussion: """
            A table names its configuration, identities, and what they may and may not do:

              config: gateway.yaml
              as:
                alice: { uri: "spiffe://example.org/dev/alice" }
              expect:
                - { as: alice, call: storage.get, allow: true }
                - { as: alice, call: [storage.drop, storage.clear], allow: false }

            Prints a line for each expectation that is not met. Certificates, keys and sockets that the configuration \
            names need not exist. All of the table: docs/policy.md

            Example: ipc-gateway policy test access-tests.yaml

            Exit codes: 0 all is as expected; 1 something is not; 64 wrong usage; 78 a table or a configuration is wrong.
            """
    )

    @Argument(help: "Tables of expectations, YAML.")
    var files: [String]

    func run() throws {
        var isGood = true
        for file in files {
            let table = try ConfigurationFile.read(file, as: "docs/policy.md") { text in
                try PolicyTable(yaml: text, file: file)
            }
            let failures = table.failures(try view(table), certificates: try certificates(table))
            for failure in failures { Console.say("\(failure)") }
            let count = table.expectations.reduce(0) { $0 + $1.count }
            let result = failures.isEmpty ? "all as expected" : "\(failures.count) not as expected"
            Console.say("\(file): \(count) expectation\(count == 1 ? "" : "s"), \(result)")
            isGood = isGood && failures.isEmpty
        }
        if !isGood { throw ExitCode.failure }
    }

    private func view(_ table: PolicyTable) throws -> PolicyView {
        let configuration = try ConfigurationFile.loadText(Self.resolve(table.configuration, from: table.file))
        guard let view = PolicyView(configuration, table.kind) else {
            let message = "there is no shadow: section in \(configuration.file), which this table is about"
            Console.complain("error: \(table.file):\(table.configurationLine): config: \(message)")
            throw ExitCode.configuration
        }
        return view
    }

    private func certificates(_ table: PolicyTable) throws -> [String: CertificateIdentity] {
        var found: [String: CertificateIdentity] = [:]
        for (path, line) in table.certificates {
            do {
                found[path] = try CertificateIdentity.load(certificateFile: Self.resolve(path, from: table.file))
            } catch {
                Console.complain("error: \(table.file):\(line): \(error)")
                throw ExitCode.configuration
            }
        }
        return found
    }

    /// A path in a table is relative to the table's folder.
    private static func resolve(_ path: String, from file: String) -> String {
        guard !path.utf8.starts(with: "/".utf8), let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return path
        }
        return String(file[...slash]) + path
    }
}
