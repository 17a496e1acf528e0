// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Yams

/// What a configuration file of `ipc-gateway connect` says. Every key may be missing: the command line says the rest.
public struct TunnelConfiguration: Sendable, Equatable {
    /// The gateway's addresses, in the order in which they are tried; empty when the key is missing.
    public var to: [HostAndPort] = []
    /// The path of the socket for local clients.
    public var listen: String?
    /// The client's certificate.
    public var cert: String?
    /// Its private key.
    public var key: String?
    /// A file with the passphrase of the key.
    public var passphraseFile: String?
    /// The authorities that the gateway's certificate must come from.
    public var ca: String?
    /// Whom the gateway's certificate must be for.
    public var serverName: String?
    /// How many local clients there may be at once.
    public var maxClients: Int?

    /// How many clients may be asked for.
    public static let clientCounts = 1...10_000

    /// Nothing; see the properties.
    public init() {}

    /// Decodes the text of a file. Paths in it are relative to it.
    ///
    /// - Parameters:
    ///   - yaml: The whole file.
    ///   - file: Its name.
    /// - Throws: Every problem of the file at once; only a YAML syntax error hides what follows it.
    public init(yaml: String, file: String) throws(ConfigurationError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw ConfigurationError(problems: [GatewayConfiguration.syntaxProblem(error, file)])
        }
        guard let root else { return }
        var decoder = ConfigurationDecoder(file: file)
        self = decoder.decodeTunnel(root)
        guard decoder.reader.problems.isEmpty else {
            let problems = decoder.reader.problems.sorted {
                ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0)
            }
            throw ConfigurationError(problems: problems)
        }
    }
}

extension ConfigurationDecoder {
    fileprivate mutating func decodeTunnel(_ root: Node) -> TunnelConfiguration {
        let known = ["to", "listen", "cert", "key", "passphraseFile", "ca", "serverName", "maxClients"]
        var tunnel = TunnelConfiguration()
        guard let document = reader.section(root, "", known: known) else { return tunnel }
        tunnel.to = decodeAddresses(document)
        tunnel.listen = path(document, "listen", "the path of the socket for local clients")
        tunnel.cert = path(document, "cert", "the path of the client's certificate")
        tunnel.key = path(document, "key", "the path of the certificate's private key")
        tunnel.passphraseFile = path(document, "passphraseFile", "the path of a file with the passphrase of the key")
        tunnel.ca = path(document, "ca", "the path of the authorities that the gateway's certificate must come from")
        tunnel.serverName = optionalText(document, "serverName", "whom the gateway's certificate must be for")
        tunnel.maxClients = document.members["maxClients"].flatMap {
            reader.integer($0, "maxClients", in: TunnelConfiguration.clientCounts)
        }
        return tunnel
    }

    private mutating func path(
        _ document: ConfigurationReader.Section,
        _ key: String,
        _ what: String
    ) -> String? {
        optionalText(document, key, what).map { GatewayConfiguration.resolve($0, namedIn: reader.file) }
    }

    private mutating func decodeAddresses(_ document: ConfigurationReader.Section) -> [HostAndPort] {
        let what = "addresses of the gateway, such as [gateway.example.org:7443]"
        guard let node = document.members["to"], let items = reader.list(node, "to", of: what) else { return [] }
        if items.isEmpty { reader.report(node, "to", "is empty; expected \(what)") }
        return items.compactMap { item in
            guard let text = reader.text(item.node, item.path, "HOST or HOST:PORT") else { return nil }
            guard let address = HostAndPort(text) else {
                reader.report(item.node, item.path, "expected HOST or HOST:PORT, not '\(text)'")
                return nil
            }
            return address
        }
    }
}
