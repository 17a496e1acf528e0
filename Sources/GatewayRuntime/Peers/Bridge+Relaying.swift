// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPCProtocol
internal import TLSEngine

/// Sessions of one gateway, and clients at another: the token names the one that has the session, and a client that comes
/// elsewhere is led there.
extension Bridge {
    /// The peer that keeps the session of a token; nil when this gateway does, or nobody whom it knows.
    func keeper(of token: String) -> PeerSettings.Gateway? {
        guard relayedBy == nil, let keeper = SessionToken(token)?.keeper,
            !keeper.utf8.elementsEqual(environment.sessions.gateway.utf8)
        else { return nil }
        return snapshot.configuration.peers?.gateway(named: keeper)
    }

    /// Leads the client to the gateway that has its session.
    func relay(_ token: String, to gateway: PeerSettings.Gateway) {
        guard let peers = snapshot.configuration.peers, let context = snapshot.peerContext else { return }
        let statement = RelayStatement(
            gateway: environment.sessions.gateway,
            client: peer ?? "",
            chain: client.proof?.chain?.certificates ?? []
        )
        guard !statement.chain.isEmpty, let frame = statement.frame() else {
            let message = "the client's certificates are too many, or too large, for another gateway"
            return close(CloseReason(CloseReason.Code(rawValue: SessionCode.unknownSession.rawValue), message))
        }
        // Said only when the client is still there: it makes the owner part with any other connection of its.
        let connect = Frame(type: .control, body: SessionControl.connect(token: token).encoded())
        let end = reactor.now + peers.timeout
        deadlines.client = .max
        let dial = PeerDial(
            gateway,
            context: context,
            until: end,
            on: reactor
        ) { [weak self] outcome in
            self?.peerDialled(gateway, token, frame + connect.encoded(), outcome)
        }
        peerDial = dial
        dial.start()
    }

    private func peerDialled(
        _ gateway: PeerSettings.Gateway,
        _ token: String,
        _ opening: [UInt8],
        _ outcome: PeerDial.Outcome
    ) {
        peerDial = nil
        guard phase == .announcing, clientHandle != nil else { return }
        switch outcome {
        case .failed(let reason):
            log.peerNotReached(gateway, reason)
            // Whatever is the matter with it: here the session cannot be had, and the client must not wait for ever.
            let message = "the gateway that keeps the session, '\(gateway.name)', cannot be reached"
            close(CloseReason(CloseReason.Code(rawValue: SessionCode.unknownSession.rawValue), message))
        case .reached(let link):
            handOver(to: link, gateway, token, opening)
        }
        settle()
    }

    private func handOver(to link: ClientLink, _ gateway: PeerSettings.Gateway, _ token: String, _ opening: [UInt8]) {
        let limit = snapshot.configuration.limits.clients
        guard !client.isOver else {
            return close(CloseReason(.connectionLost, "the client was gone before it had its session"))
        }
        guard environment.load.addClient(limit: limit) else {
            return close(CloseReason(.clientLimit, "there are \(limit) clients already (limits.clients)"))
        }
        guard listener.addClient() else {
            environment.load.removeClient()
            return close(CloseReason(.clientLimit, "there are too many clients at \(listener.name) already"))
        }
        // What is for the client must be out of the buffer that both sides share.
        client.flush()
        opening.withUnsafeBytes { try? link.send($0) }
        // What it sent behind its wish belongs to its session.
        client.pending.withUnsafeBytes { try? link.send($0) }
        link.flush()
        client.pending = ByteQueue()
        let relay = Relay(
            client: client,
            peer: link,
            gateway: gateway,
            listener: listener,
            snapshot: snapshot,
            environment: environment,
            logger: log.relayed(to: gateway, SessionToken(token))
        )
        if let clientHandle { reactor.unwatch(clientHandle) }
        client = ClientLink(goneFrom: reactor.scratch)
        dispose()
        relay.start()
    }

    // MARK: At the gateway that has the session

    /// A peer is there; it has to say whom it brings.
    func awaitStatement(_ identity: PeerIdentity) throws(CloseReason) {
        guard case .certificate(let certificate) = identity,
            client.negotiated?.applicationProtocol == RelayStatement.applicationProtocol
        else {
            throw CloseReason(.identityRefused, "a listener for peers is not for clients")
        }
        try snapshot.checkPeer(certificate)
        awaitsStatement = true
    }

    /// Takes the peer's first words.
    func statementStep(_ bytes: Span<UInt8>) -> GatewaySession.Step<GatewaySession.ClientAction> {
        do {
            guard let (statement, byteCount) = try RelayStatement.first(in: bytes) else {
                return .init(byteCount: RelayStatement.byteCount, action: .wait)
            }
            try accept(statement)
            return .init(byteCount: byteCount, action: .swallow)
        } catch let reason as CloseReason {
            return .init(byteCount: bytes.count, action: .close(reason))
        } catch let failure as SessionFailure {
            return .init(byteCount: bytes.count, action: .close(CloseReason(failure)))
        } catch let error as TLSError {
            return .init(byteCount: bytes.count, action: .close(CloseReason(error)))
        } catch {
            return .init(byteCount: bytes.count, action: .close(CloseReason(.gatewayFailure, "\(error)")))
        }
    }

    /// Judges the client that a peer brings as if it had come here. That it has its key is what the peer is believed.
    private func accept(_ statement: RelayStatement) throws {
        try checkCarrier()
        let chain = PeerChain(certificates: statement.chain)
        let listener = try snapshot.judgeRelayed(chain)
        let identity = PeerIdentity.certificate(try chain.identity())
        awaitsStatement = false
        relayedBy = statement.gateway
        carrierListener = tlsListener
        tlsListener = listener
        client.state(ClientProof(identity: identity, chain: chain))
        peer = "\(statement.client) by \(statement.gateway)"
        log.identified(identity)
        log.relayed(by: statement.gateway, peer: peer)
        let session = try snapshot.session(for: identity)
        self.session = session
        startPersistence(session.terms)
    }

    /// Judges the peer by the snapshot.
    ///
    /// - Throws: Why it may not bring clients.
    private func checkCarrier() throws {
        try client.checkCarrier(by: snapshot, at: carrierListener ?? tlsListener)
    }

    /// Judges a peer that has not said whom it brings.
    func judgePeer() -> Verdict {
        do {
            try checkCarrier()
            return .notJudged
        } catch {
            let message = (error as? CloseReason)?.message ?? (error as? TLSError)?.message ?? "\(error)"
            close(CloseReason(.revoked, "configuration \(snapshot.generation) does not let the peer in: \(message)"))
            return .cut
        }
    }

    /// Parts with a connection whose peer may not bring clients any more; the session waits.
    func judgeCarrier() {
        guard carrierListener != nil, phase == .open, !isDetached else { return }
        do {
            try checkCarrier()
        } catch {
            let message = (error as? CloseReason)?.message ?? (error as? TLSError)?.message ?? "\(error)"
            detach(CloseReason(.connectionLost, "the gateway that brought the client may not any more: \(message)"))
        }
    }
}

/// Who is judged again when the configuration was replaced.
protocol JudgedAnew: EventHandler {
    /// Judges it by the thread's snapshot, if that is another than its own.
    func judgeAnew()
}

extension Bridge: JudgedAnew {}
