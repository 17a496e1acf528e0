// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import IPCTransport
internal import TLSEngine

/// What `ipc-gateway connect` goes by: the configuration file, and what the command line says over it.
struct ConnectSettings: Sendable {
    /// The gateway's addresses.
    let addresses: [HostAndPort]
    /// The socket for local clients.
    let listen: String
    /// Certificates and key.
    let tls: TLSConfiguration
    /// Whom the gateway's certificate must be for; nil for the host.
    let serverName: String?
    /// How many local clients there may be.
    let maximumClients: Int

    /// - Throws: ``CommandFailure`` when something is said by neither.
    init(_ tunnel: TunnelConfiguration) throws {
        guard !tunnel.to.isEmpty else { throw Self.missing("--to HOST:PORT, where the gateway is", "to") }
        guard let listen = tunnel.listen else {
            throw Self.missing("--listen PATH, the socket for local clients", "listen")
        }
        guard let ca = tunnel.ca else {
            throw Self.missing("--ca FILE, the authority that the gateway's certificate must come from", "ca")
        }
        guard let cert = tunnel.cert, let key = tunnel.key else {
            throw Self.missing("--cert FILE and --key FILE, the client's certificate and its private key", "cert, key")
        }
        addresses = tunnel.to
        self.listen = listen
        var tls = TLSConfiguration(
            role: .client,
            certificateChainFile: cert,
            privateKeyFile: key,
            trustAnchorsFile: ca,
            applicationProtocols: [PersistentConnection.applicationProtocol]
        )
        tls.privateKeyPassphrase = tunnel.passphraseFile.map { .file($0) }
        self.tls = tls
        serverName = tunnel.serverName
        maximumClients = tunnel.maxClients ?? Tunnel.usualMaximumClients
    }

    private static func missing(_ option: String, _ key: String) -> CommandFailure {
        CommandFailure(
            "missing: \(option) (in the configuration file: \(key)); see ipc-gateway connect --help",
            .validationFailure
        )
    }

    /// Where to connect to.
    ///
    /// - Parameter credentials: Reads the files.
    func endpoints(_ credentials: CredentialReloader) -> [ClientEndpoint] {
        let tls = credentials.attach(to: tls)
        return addresses.map { address in
            let port = Int(address.port ?? ServerOptions.usualPort)
            return .tls(host: address.host, port: port, configuration: tls, serverName: serverName)
        }
    }
}
