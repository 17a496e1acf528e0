// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A real HAProxy in front of gateways. Ends with the object.
public final class HAProxy: Sendable {
    /// The program; nil where it is not installed.
    public static let program: String? = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"]
        .first { (path: String) in access(path, X_OK) == 0 }

    /// The process.
    public let child: ChildProcess
    /// Where it listens.
    public let port: UInt16

    /// Starts it and waits until it listens.
    ///
    /// - Parameters:
    ///   - directory: Where its configuration is put.
    ///   - lines: The lines of its `listen` section behind `bind`.
    public init(_ directory: TemporaryDirectory, _ lines: [String]) throws {
        let port = try FreePort.find()
        let text = """
            defaults
              mode tcp
              timeout connect 30s
              timeout client 10m
              timeout server 10m
            listen gateway
              bind 127.0.0.1:\(port)
            \(lines.map { "  \($0)" }.joined(separator: "\n"))

            """
        let configuration = try directory.write(text, to: "haproxy.cfg")
        let child = try ChildProcess([Self.program ?? "haproxy", "-db", "-f", configuration])
        self.child = child
        self.port = port
        try eventually("HAProxy listens; it says: \(child.errors)", within: .seconds(30)) {
            (try? BlockingStream(host: "127.0.0.1", port: port)) != nil
        }
    }
}
