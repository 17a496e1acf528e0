// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// Where a server listens.
public struct ServerEndpoint: Sendable, CustomStringConvertible {
    /// Whom a socket's file belongs to, by number; what is nil stays as it is.
    public struct Owner: Sendable, Hashable {
        /// The user.
        public var user: UInt32?
        /// The group.
        public var group: UInt32?

        /// Describes an owner.
        public init(user: UInt32? = nil, group: UInt32? = nil) {
            self.user = user
            self.group = group
        }
    }

    enum Kind: Sendable {
        case unix(path: String, mode: UInt32, owner: Owner?)
        case tcp(host: String, port: Int)
        case tls(host: String, port: Int, configuration: TLSConfiguration)
    }

    let kind: Kind

    /// A Unix socket.
    ///
    /// A socket's file that nobody listens at any more is replaced. One that somebody listens at, and anything that is
    /// not a socket, is left alone and an error. The file is removed when the listener closes, if it is still its own.
    ///
    /// - Parameters:
    ///   - path: Its path, at most 107 bytes (103 on macOS). Who may replace files in its directory may take its place.
    ///   - mode: Who may connect, as a file's mode: who may write. It is in force before the first connection is.
    ///   - owner: Whom the file is to belong to; nil for the process's own user and group.
    public static func unix(_ path: String, mode: UInt32 = 0o600, owner: Owner? = nil) -> Self {
        Self(kind: .unix(path: path, mode: mode, owner: owner))
    }

    /// TCP without any protection: everybody who reaches the port is let in, as whoever they say they are. For the
    /// loopback interface, where that is every user of the machine.
    ///
    /// - Parameters:
    ///   - host: A name or an address of this machine.
    ///   - port: The port; 0 for one that the system chooses.
    public static func tcp(host: String = "127.0.0.1", port: Int = 0) -> Self {
        Self(kind: .tcp(host: host, port: port))
    }

    /// TLS over TCP. The gateway does more: it binds the context to the certificate, and judges every request.
    ///
    /// - Parameters:
    ///   - host: A name or an address of this machine.
    ///   - port: The port; 0 for one that the system chooses.
    ///   - configuration: The certificates. Application protocols that are not given become `vscode-ipc`, with
    ///     ``SessionHosting`` before it `vscode-ipc-persistent`. Clients need a certificate unless it says otherwise.
    public static func tls(host: String, port: Int = 0, configuration: TLSConfiguration) -> Self {
        Self(kind: .tls(host: host, port: port, configuration: configuration))
    }

    /// The endpoint as logs and errors show it: `unix:/run/app.sock`, `tcp:127.0.0.1:7000`, `tls:0.0.0.0:7443`.
    public var description: String {
        switch kind {
        case .unix(let path, _, _): "unix:\(path)"
        case .tcp(let host, let port): "tcp:\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .tls(let host, let port, _): "tls:\(host.contains(":") ? "[\(host)]" : host):\(port)"
        }
    }
}
