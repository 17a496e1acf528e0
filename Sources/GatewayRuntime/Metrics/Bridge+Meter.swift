// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import TLSEngine

/// What is counted of a connection beside its requests.
extension Bridge {
    /// Counts what the client asks from now on.
    func startMeter() {
        number = environment.makeSessionNumber()
        environment.meter.sessionsBegun += 1
        session?.count(in: environment.meter.requests)
    }

    /// A request did not pass.
    func noteDenial(_ denial: GatewaySession.Denial) {
        log.denied(denial)
        guard environment.meter.denied(denial.cause, at: reactor.now) else { return }
        let policy = session?.terms.policy
        environment.meter.remember(
            Refusal(
                time: MonotonicClock.wallClock(),
                kind: denial.request == .call ? .call : .listen,
                identity: session?.terms.resolution.value,
                peer: peer,
                channel: denial.channel,
                name: denial.name,
                cause: denial.cause.name,
                rule: denial.rule.flatMap { policy?[$0].title }
            )
        )
    }

    /// The connection, or the session, ends.
    func noteClosing(_ reason: CloseReason, isRefusal: Bool) {
        environment.meter.closing(reason.code)
        guard isRefusal, environment.meter.remembers(at: reactor.now) else { return }
        environment.meter.remember(
            Refusal(
                time: MonotonicClock.wallClock(),
                kind: .connection,
                identity: session?.terms.resolution.value ?? client.certificate?.subject,
                peer: peer,
                cause: reason.code.rawValue,
                rule: reason.message
            )
        )
    }
}
