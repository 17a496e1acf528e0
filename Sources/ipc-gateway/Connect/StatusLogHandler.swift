// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayRuntime
internal import Logging

/// Writes log lines above a ``StatusLine``.
struct StatusLogHandler: LogHandler {
    private var handler: LineLogHandler
    private let line: StatusLine

    init(_ handler: LineLogHandler, above line: StatusLine) {
        self.handler = handler
        self.line = line
    }

    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }

    var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) {
        line.interrupt { handler.log(event: event) }
    }
}
