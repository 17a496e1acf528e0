// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// Where a client connects to.
public struct ClientEndpoint: Sendable, CustomStringConvertible {
    enum Kind: Sendable {
        case unix(String)
        case tcp(host: String, port: Int)
        case tls(host: String, port: Int, configuration: TLSConfiguration, serverName: String)
    }

    let kind: Kind

    /// A Unix socket.
    ///
    /// - Parameter path: Its path, at most 107 bytes (103 on macOS).
    public static func unix(_ path: String) -> Self {
        Self(kind: .unix(path))
    }

    /// TCP without any protection: whoever is on the way reads and changes what is said, and nobody knows who the other
    /// is. For the loopback interface.
    ///
    /// - Parameters:
    ///   - host: A name or an address.
    ///   - port: The port.
    public static func tcp(host: String = "127.0.0.1", port: Int) -> Self {
        Self(kind: .tcp(host: host, port: port))
    }

    /// TLS over TCP: to a gateway, or to a server that listens with TLS itself.
    ///
    /// - Parameters:
    ///   - host: A name or an address.
    ///   - port: The port.
    ///   - configuration: The certificates. Application protocols that are not given become `vscode-ipc`, or
    ///     `vscode-ipc-persistent` for a ``PersistentConnection``.
    ///   - serverName: Whom the server's certificate must be for; nil for the host.
    public static func tls(
        host: String,
        port: Int,
        configuration: TLSConfiguration,
        serverName: String? = nil
    ) -> Self {
        Self(kind: .tls(host: host, port: port, configuration: configuration, serverName: serverName ?? host))
    }

    /// The endpoint as logs and errors show it: `unix:/run/app.sock`, `tcp:127.0.0.1:7000`, `tls:example.org:7443`.
    public var description: String {
        switch kind {
        case .unix(let path): "unix:\(path)"
        case .tcp(let host, let port): "tcp:\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .tls(let host, let port, _, _): "tls:\(host.contains(":") ? "[\(host)]" : host):\(port)"
        }
    }
}
