// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The paths of Unix sockets, which are only known in full when relative ones have been resolved.
extension GatewaySnapshot {
    /// `sun_path` of Linux, without the zero at its end.
    private static let longestSocketPath = 107

    /// What is wrong with the paths that the configuration names.
    static func socketProblems(_ configuration: GatewayConfiguration) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        // As bytes: two spellings of a letter are two files.
        var taken: [[UInt8]: String] = [:]
        for upstream in configuration.upstreams {
            let path = configuration.resolve(upstream.unix)
            let place = "upstreams.\(upstream.name).unix"
            taken[Array(path.utf8)] = "the local server '\(upstream.name)'"
            if let message = lengthProblem(path) {
                problems.append(ConfigurationProblem(file: configuration.file, path: place, message: message))
            }
        }
        for (index, listener) in configuration.listeners.enumerated() {
            guard case .unix(let socket) = listener.place, listener.inherited == nil else { continue }
            let path = configuration.resolve(socket.path)
            var message = lengthProblem(path)
            if let other = taken.updateValue("listeners[\(index)]", forKey: Array(path.utf8)) {
                message = "'\(path)' is the socket of \(other) already"
            }
            guard let message else { continue }
            problems.append(
                ConfigurationProblem(
                    file: configuration.file,
                    line: listener.line,
                    path: "listeners[\(index)].unix",
                    message: message
                )
            )
        }
        if let admin = configuration.admin {
            let path = configuration.resolve(admin.unix)
            let other = taken[Array(path.utf8)]
            if let message = other.map({ "'\(path)' is the socket of \($0) already" }) ?? lengthProblem(path) {
                problems.append(ConfigurationProblem(file: configuration.file, path: "admin.unix", message: message))
            }
        }
        return problems
    }

    private static func lengthProblem(_ path: String) -> String? {
        let count = path.utf8.count
        guard count > longestSocketPath else { return nil }
        return "the socket's path is '\(path)', \(count) bytes; the system takes \(longestSocketPath)"
    }
}
