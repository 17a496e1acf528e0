// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore

/// `ipc-gateway policy learn`.
struct PolicyLearn: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "learn",
        abstract: "Print the smallest rules that a recorded session needed.",
        discussion: """
            Reads audit logs and prints roles: and clients: that allow what is recorded, to those who did it, and nothing \
            else. Who they are is all that their entry went by, such as a program and its user. Paste them into a configuration, and widen them where you know more: under shadow: first, to see what \
            they would have denied.

            Examples:
              ipc-gateway policy learn /var/log/ipc-gateway/audit.jsonl
              journalctl -u ipc-gateway -o cat | grep '^{"v":1,' | ipc-gateway policy learn -

            What may be missing, because lines were dropped or sampled, is said on standard error.

            Exit codes: 0 success; 1 a file cannot be read or is no audit log, or gives a client several contexts to assign; 64 wrong usage.
            """
    )

    @Flag(help: "Learn requests that were denied too.")
    var includeDenied = false

    @Argument(help: ArgumentHelp("Audit logs; - is standard input.", valueName: "audit"))
    var files: [String]

    /// Lines may hold arguments.
    private static let longestLine = 16 << 20

    mutating func validate() throws {
        guard files.count(where: { $0 == "-" }) <= 1 else {
            throw ValidationError("Standard input can be read only once.")
        }
    }

    func run() throws {
        try CommandFailure.report {
            var learner = PolicyLearner(includesDenied: includeDenied)
            for path in files {
                let file = try InputFile(path)
                try file.forEachLine(atMost: Self.longestLine) { number, line in
                    let isBlank = line.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
                    guard !isBlank else { return }
                    do throws(PolicyLearner.LineError) {
                        try learner.add(line, at: "\(file.name):\(number)")
                    } catch {
                        throw CommandFailure("\(file.name):\(number): the line \(error)", .failure)
                    }
                }
            }
            for warning in learner.warnings { Console.complain("warning: \(warning)") }
            let yaml: String
            do throws(PolicyLearner.ConflictError) {
                yaml = try learner.yaml()
            } catch {
                throw CommandFailure("\(error)", .failure)
            }
            try Console.write(Array(yaml.utf8))
        }
    }
}
