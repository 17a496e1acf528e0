// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayRuntime
internal import Logging

/// What to log, and how.
struct LogOptions: ParsableArguments {
    /// The choices of `--log-format`.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case auto
        case text
        case json
    }

    @Option(
        help: "The least important messages that are logged: trace, debug, info, notice, warning, error.",
        transform: Self.level
    )
    var logLevel: Logger.Level = .info

    private static func level(_ text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            throw ValidationError("'\(text)' is not one of trace, debug, info, notice, warning, error, critical.")
        }
        return level
    }

    @Option(help: "How lines on standard error look: text, json, or auto (text on a terminal, json otherwise).")
    var logFormat: Format = .auto

    /// - Parameter line: The line that standard error ends with, for lines to come before it.
    func makeLogger(above line: StatusLine? = nil) -> Logger {
        let format: LogFormat =
            switch logFormat {
            case .text: .text
            case .json: .json
            case .auto: Console.isTerminal ? .text : .json
            }
        return Logger(label: "ipc-gateway") { _ in
            let handler = LineLogHandler(format: format, level: logLevel)
            return line.map { StatusLogHandler(handler, above: $0) } ?? handler
        }
    }
}
