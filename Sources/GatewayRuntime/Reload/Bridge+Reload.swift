// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import TLSEngine

/// What proves who a client is while its connection is away.
struct ClientProof {
    var identity: PeerIdentity
    /// What its certificate was verified with; nil without TLS.
    var chain: PeerChain?
}

/// A connection that goes on by a new snapshot, or does not.
extension Bridge {
    /// What has become of a session.
    enum Verdict {
        /// There is nothing to judge yet, or any more.
        case notJudged
        /// So many subscriptions have ended.
        case goesOn(endedListens: Int)
        case cut
    }

    /// Judges the session by the thread's snapshot, if that is another than the session's.
    func judgeAnew() {
        guard snapshot !== environment.snapshot else { return }
        environment.judging?.note(judge(by: environment.snapshot))
        settle()
    }

    private func judge(by new: GatewaySnapshot) -> Verdict {
        snapshot = new
        if awaitsStatement { return judgePeer() }
        // One that is in its handshake is judged at the end of it.
        guard phase == .open || phase == .announcing, clientHandle != nil, var session else { return .notJudged }
        do {
            judgeCarrier()
            let identity = try provenIdentity()
            let terms = try new.terms(for: identity)
            let revision = try session.adopt(terms, at: reactor.now)
            self.session = session
            adopted(terms)
            perform(revision.tasks)
            client.flush()
            return .goesOn(endedListens: revision.endedListens)
        } catch let reason as CloseReason where reason.code == .serversChanged {
            close(reason)
        } catch let reason as CloseReason {
            revoke(reason.message)
        } catch let error as TLSError {
            revoke(error.message)
        } catch {
            revoke("\(error)")
        }
        return .cut
    }

    private func revoke(_ message: String) {
        let generation = snapshot.generation
        close(CloseReason(.revoked, "configuration \(generation) does not let the client in: \(message)"))
        lingerLimit = reactor.now + Self.lingerTime
    }

    /// Who the client is; what proves it is judged by the snapshot's authorities and revocation lists.
    private func provenIdentity() throws -> PeerIdentity {
        let context = snapshot.tlsContext(of: tlsListener)
        if let proof = persistence?.absentee {
            if let chain = proof.chain, let context { try context.judge(chain) }
            return proof.identity
        }
        if let context { try client.judge(by: context) }
        guard let identity = try client.identity() else {
            throw CloseReason(.identityRefused, "the client showed no certificate")
        }
        return identity
    }

    /// Brings what belongs to the connection in line with the session's new terms.
    private func adopted(_ terms: SessionTerms) {
        guard phase == .open, var session else { return }
        let rate = terms.clientLimits.bytesPerSecond
        if rate != bytesPerSecond { limitBytes(to: rate) }
        if let identityLoad {
            let load = environment.identities.load(
                of: terms.resolution,
                terms.clientLimits.perIdentity,
                generation: snapshot.generation,
                at: reactor.now
            )
            load.takeOver(
                &session,
                isDetached: isDetached,
                heldBytes: persistence?.countedBytes ?? 0,
                from: identityLoad
            )
            self.identityLoad = load
            self.session = session
        }
        log.judged(session, snapshot.generation)
        if let settings = snapshot.configuration.audit {
            audit?.judged(by: snapshot.generation, terms.resolution, settings)
        }
    }
}
