// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import IPCProtocol
internal import IPCTransport
internal import TLSEngine

/// Where to connect to, and as whom.
struct ServerOptions: ParsableArguments {
    /// Where gateways listen in the documentation's examples.
    static let usualPort: UInt16 = 7443

    @Option(help: ArgumentHelp("A Unix socket.", valueName: "path"))
    var unix: String?

    @Option(
        help: ArgumentHelp(
            "A gateway, or another server with TLS: a name, an IPv4 or an IPv6 address. Needs --ca, and mostly --cert.",
            valueName: "host[:port]"
        )
    )
    var host: HostAndPort?

    @Option(help: "The port of --host, if it is not given there. (default: 7443)")
    var port: UInt16?

    @Option(help: ArgumentHelp("A server over TCP without TLS, for the loopback interface.", valueName: "host:port"))
    var tcp: HostAndPort?

    @Option(help: ArgumentHelp("The client's certificate, with its intermediates; PEM.", valueName: "file"))
    var cert: String?

    @Option(help: ArgumentHelp("The private key of --cert; PEM.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("Holds the passphrase of --key, if that is encrypted.", valueName: "file"))
    var keyPassphraseFile: String?

    @Option(help: ArgumentHelp("The authorities that a server's certificate must come from; PEM.", valueName: "file"))
    var ca: String?

    @Option(help: ArgumentHelp("Whom the server's certificate must be for. (default: the host)", valueName: "name"))
    var serverName: String?

    @Option(
        help: ArgumentHelp(
            "The context to announce, a text. A gateway may put another in its place. (default: ipc-gateway)",
            valueName: "text"
        )
    )
    var context: String?

    @Option(help: ArgumentHelp("The context to announce, as JSON.", valueName: "json"))
    var contextJSON: String?

    @Flag(
        help: ArgumentHelp(
            """
            Open a session that outlives its connection: when it is lost another is made, nothing is lost or done twice, \
            and standard error tells of it. The server must speak the persistent protocol.
            """
        )
    )
    var persistent = false

    mutating func validate() throws {
        guard [unix != nil, host != nil, tcp != nil].count(where: \.self) == 1 else {
            throw ValidationError("Say where to connect to: --unix PATH, --host HOST[:PORT] or --tcp HOST:PORT.")
        }
        guard tcp == nil || tcp?.port != nil else { throw ValidationError("--tcp needs a port, as in 127.0.0.1:7000.") }
        guard port == nil || (host != nil && host?.port == nil) else {
            throw ValidationError("--port is for a --host without a port.")
        }
        guard port != 0 else { throw ValidationError("A port is a number from 1 to 65535.") }
        guard host == nil || ca != nil else {
            throw ValidationError("--host needs --ca, the authority that the server's certificate must come from.")
        }
        guard (cert == nil) == (key == nil) else { throw ValidationError("--cert and --key go together.") }
        let ofTLS = [cert, key, keyPassphraseFile, ca, serverName]
        guard host != nil || ofTLS.allSatisfy({ $0 == nil }) else {
            throw ValidationError("--cert, --key, --key-passphrase-file, --ca and --server-name are for --host.")
        }
        guard keyPassphraseFile == nil || key != nil else {
            throw ValidationError("--key-passphrase-file needs --key.")
        }
        guard context == nil || contextJSON == nil else {
            throw ValidationError("Give either --context or --context-json.")
        }
    }

    /// Where to connect to.
    func endpoint() -> ClientEndpoint {
        if let unix { return .unix(unix) }
        if let tcp { return .tcp(host: tcp.host, port: Int(tcp.port ?? 0)) }
        var tls = TLSConfiguration(
            role: .client,
            certificateChainFile: cert,
            privateKeyFile: key,
            trustAnchorsFile: ca
        )
        tls.privateKeyPassphrase = keyPassphraseFile.map { .file($0) }
        // The files are read anew for each connection, and may be pipes.
        if persistent { tls = CredentialReloader(report: { _ in }).attach(to: tls) }
        let port = host?.port ?? port ?? Self.usualPort
        return .tls(host: host?.host ?? "", port: Int(port), configuration: tls, serverName: serverName)
    }

    /// Who to say to be.
    func announcedContext() throws -> IPCValue {
        guard let contextJSON else { return IPCValue(context ?? "ipc-gateway") }
        return try ValueText.parse(Array(contextJSON.utf8), from: "--context-json")
    }
}
