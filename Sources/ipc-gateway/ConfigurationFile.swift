// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import Glibc

/// Reads the configuration for a command, and says what is wrong with it.
enum ConfigurationFile {
    /// The file's size beyond which it is not a configuration.
    private static let largest = 16 << 20

    /// The same, for who goes on when there are problems.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - generation: The number of the snapshot.
    ///   - check: What is wrong with a configuration, before anything that it names is opened.
    static func snapshot(
        _ path: String,
        generation: Int,
        check: (GatewayConfiguration) -> [ConfigurationProblem] = { _ in [] }
    ) throws(ConfigurationError) -> GatewaySnapshot {
        let configuration = try GatewayConfiguration(yaml: try contents(path), file: path)
        let problems = check(configuration)
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return try GatewaySnapshot(configuration, generation: generation)
    }

    /// The checked configuration with everything it names opened; exits with its problems otherwise.
    static func load(_ path: String) throws -> GatewaySnapshot {
        try read(path, as: "docs/configuration.md") {
            try GatewaySnapshot(try GatewayConfiguration(yaml: $0, file: path))
        }
    }

    /// The configuration without what it names, which need not exist; exits with its problems otherwise.
    static func loadText(_ path: String) throws -> GatewayConfiguration {
        try read(path, as: "docs/configuration.md") { try GatewayConfiguration(yaml: $0, file: path) }
    }

    /// Reads a YAML file; exits with its problems when there are any.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - documentation: What describes such files.
    ///   - body: Makes something of the text.
    static func read<Value>(_ path: String, as documentation: String, _ body: (String) throws -> Value) throws -> Value
    {
        do {
            return try body(try contents(path))
        } catch let error as ConfigurationError {
            for problem in error.problems { Console.complain("error: \(problem)") }
            let count = error.problems.count
            Console.complain("\(path): \(count) problem\(count == 1 ? "" : "s"); see \(documentation)")
            throw ExitCode.configuration
        }
    }

    private static func contents(_ path: String) throws(ConfigurationError) -> String {
        func problem(_ message: String) -> ConfigurationError {
            ConfigurationError(problems: [ConfigurationProblem(file: path, message: message)])
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw problem("cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count == 0 { break }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw problem("cannot be read: \(String(cString: strerror(errno)))") }
            bytes += chunk[..<count]
            // Never a part of it: what denies may be in the rest.
            guard bytes.count <= largest else { throw problem("has more than \(largest >> 20) MiB") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw problem("is not UTF-8") }
        return text
    }
}
