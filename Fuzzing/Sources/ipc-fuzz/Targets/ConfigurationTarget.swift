// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore

/// Configurations: any text is read or refused, and every problem says where it is.
enum ConfigurationTarget {
    static func run(_ input: [UInt8]) {
        let text = String(decoding: input, as: UTF8.self)
        do throws(ConfigurationError) {
            let configuration = try GatewayConfiguration(yaml: text, file: "gateway.yaml")
            check(configuration.warnings)
            require(!configuration.upstreams.isEmpty, "there is a server")
        } catch {
            require(!error.problems.isEmpty, "a refusal has a reason")
            check(error.problems)
        }
    }

    private static func check(_ problems: [ConfigurationProblem]) {
        for problem in problems {
            var line = problem.line
            // The defect: a key that is not known has no place.
            if Target.isSpoiled, problem.message.hasPrefix("unknown key") { line = nil }
            if problem.path.isEmpty, problem.message.hasPrefix("is empty") { continue }
            guard let line else { fatalError("does not hold: a problem has a line: \(problem)") }
            require(line >= 1, "lines are counted from 1: \(problem)")
            require(!problem.message.isEmpty, "a problem is said")
        }
    }
}
