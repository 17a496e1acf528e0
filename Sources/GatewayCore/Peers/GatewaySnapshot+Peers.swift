// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// Clients that another gateway brings, and clients for another gateway.
extension GatewaySnapshot {
    static func peerContext(
        _ peers: PeerSettings,
        _ configuration: GatewayConfiguration,
        _ problems: inout [ConfigurationProblem],
        _ notes: inout [ConfigurationProblem]
    ) -> TLSContext? {
        var tls = TLSConfiguration(role: .client)
        tls.certificateChainFile = configuration.resolve(peers.tls.certificate)
        tls.privateKeyFile = configuration.resolve(peers.tls.key)
        tls.privateKeyPassphrase = peers.tls.keyPassphrase?.source(configuration)
        tls.trustAnchorsFile = configuration.resolve(peers.tls.ca)
        tls.applicationProtocols = [RelayStatement.applicationProtocol]
        func problem(_ message: String) -> ConfigurationProblem {
            ConfigurationProblem(file: configuration.file, line: peers.line, path: "peers.tls", message: message)
        }
        do throws(TLSConfigurationError) {
            let context = try TLSContext(tls)
            notes += context.notes.map(problem)
            return context
        } catch {
            let all = TLSContext.problems(in: tls)
            problems += (all.isEmpty ? [error] : all).map { problem($0.description) }
            return nil
        }
    }

    /// Whether other gateways connect to a listener.
    public func isForPeers(_ listener: Int) -> Bool {
        configuration.listeners.indices.contains(listener) && configuration.listeners[listener].isForPeers
    }

    /// Judges who connects to a listener for peers.
    ///
    /// - Throws: Why the owner of the certificate may not bring clients.
    public func checkPeer(_ identity: CertificateIdentity) throws(CloseReason) {
        try configuration.denyList.check(.certificate(identity))
        guard configuration.peers?.trusts(identity) == true else {
            let message = "the certificate (\(LogText.names(of: .certificate(identity)))) is not one of peers.match"
            throw CloseReason(.identityRefused, message)
        }
    }

    /// Judges the certificates that a peer says a client has shown it, as if the client had come here.
    ///
    /// - Returns: The place of a listener at which it would be let in.
    /// - Throws: Why it would be at none.
    public func judgeRelayed(_ chain: PeerChain) throws(TLSError) -> Int {
        var failure: TLSError?
        for index in listeners.indices where !isForPeers(index) {
            guard let context = tlsContext(of: index) else { continue }
            do throws(TLSError) {
                try context.judge(chain)
                return index
            } catch {
                failure = failure ?? error
            }
        }
        throw failure ?? TLSError(code: .badCertificate, message: "no listener takes clients with certificates")
    }
}

extension GatewayConfiguration.Passphrase {
    /// The same with the path as the process must open it.
    func source(_ configuration: GatewayConfiguration) -> PassphraseSource {
        switch self {
        case .file(let path): .file(configuration.resolve(path))
        case .environment(let name): .environment(name)
        }
    }
}
