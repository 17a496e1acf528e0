// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// `ipc-gateway demo server` as a process: something to call and to listen to. Ends with the object.
public final class SampleServer: Sendable {
    /// The process.
    public let child: ChildProcess

    /// Starts it and waits until it listens.
    ///
    /// - Parameter path: The path of its socket.
    public init(_ path: String) throws {
        let child = try ChildProcess([try GatewayProcess.program(), "demo", "server", "--unix", path])
        self.child = child
        try eventually("the sample server listens; it says: \(child.errors)", within: .seconds(30)) {
            child.output.contains("listening on")
        }
    }

    /// Ends it, and waits until it has.
    public func stop() throws {
        self.child.signal(SIGTERM)
        try self.child.wait()
    }
}
