// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

package import IPC
internal import NIOConcurrencyHelpers

/// A local client in a ``Tunnel``: its connection here, and the session that carries it, joined.
///
/// The gateway is dialled when the client has said its first word, so that whoever only looks whether somebody listens
/// costs no session. What either side has said before its end still reaches the other one.
package final class TunnelledClient: Sendable {
    /// Makes the session.
    package typealias Dial = @Sendable () async throws -> TunnelRemote
    /// Is told what happens.
    package typealias Observer = @Sendable (TunnelHappening) -> Void

    /// How far it has come, for people.
    package enum Phase: Sendable, Equatable {
        /// The client has said nothing yet.
        case silent
        /// The gateway is being dialled.
        case connecting
        /// Messages pass.
        case connected
        /// The connection is lost; which attempt comes next, and when.
        case reconnecting(attempt: Int, at: ContinuousClock.Instant)
        /// One side has ended, the other will soon.
        case ending
    }

    /// How it is at a moment.
    package struct Snapshot: Sendable {
        /// How far it has come.
        package var phase: Phase
        /// How much is on its way; nil until there is a session.
        package var statistics: TunnelRemote.Statistics?

        /// Puts it together; see the properties.
        package init(phase: Phase, statistics: TunnelRemote.Statistics? = nil) {
            self.phase = phase
            self.statistics = statistics
        }
    }

    /// What happens, in order, to be dealt with by ``run()`` one by one.
    private enum Step: Sendable {
        case spoke
        case dialled(Result<TunnelRemote, any Error>)
        case localEnded(ConnectionEnd)
        case remoteEnded(ConnectionEnd)
        case stop
    }

    private struct Facts {
        var phase = Phase.silent
        var statistics: (@Sendable () -> TunnelRemote.Statistics)?
    }

    /// What ``run()`` knows.
    private struct Course {
        var remote: TunnelRemote?
        var incoming: TunnelDirection?
        var dialling: Task<Void, Never>?
        var watching: Task<Void, Never>?
        /// Waits until the session may be ended.
        var farewell: Task<Void, Never>?
        var localEnd: ConnectionEnd?
        var remoteEnd: ConnectionEnd?
        var isStopping = false
        var failure: String?

        /// Whether nothing is left to wait for.
        var isOver: Bool { localEnd != nil && dialling == nil && (remote == nil || remoteEnd != nil) }
    }

    /// For how long the session of a client that has ended goes on until the gateway has everything: VS Code's own grace.
    static let farewellLimit = Duration.seconds(300)
    private static let farewellPause = Duration.milliseconds(20)
    private static let awayPause = Duration.milliseconds(500)

    private let local: any MessagePassingProtocol
    private let dial: Dial
    private let observe: Observer
    private let outgoing: TunnelDirection
    private let facts = NIOLockedValueBox(Facts())
    private let steps: AsyncStream<Step>
    private let next: AsyncStream<Step>.Continuation

    /// - Parameters:
    ///   - local: The client's connection, not started yet.
    ///   - dial: Makes the session.
    ///   - observe: Is told what happens, by one thread after the other.
    package init(local: any MessagePassingProtocol, dial: @escaping Dial, observe: @escaping Observer) {
        self.local = local
        self.dial = dial
        self.observe = observe
        let (steps, next) = AsyncStream.makeStream(of: Step.self)
        (self.steps, self.next) = (steps, next)
        outgoing = TunnelDirection(
            from: local,
            spoke: { next.yield(.spoke) },
            ended: { next.yield(.localEnded($0)) }
        )
    }

    /// How it is now.
    package var snapshot: Snapshot {
        let facts = facts.withLockedValue { $0 }
        return Snapshot(phase: facts.phase, statistics: facts.statistics?())
    }

    /// Ends both sides in order: what was sent before still leaves.
    package func stop() {
        next.yield(.stop)
    }

    /// Carries the client until both sides have ended. Once.
    package func run() async {
        var course = Course()
        local.start(delivering: outgoing)
        for await step in steps {
            take(step, &course)
            if course.isOver { break }
        }
        next.finish()
        course.farewell?.cancel()
        course.watching?.cancel()
        await course.watching?.value
        observe(.ended(summary(course)))
    }

    private func take(_ step: Step, _ course: inout Course) {
        switch step {
        case .spoke:
            guard !course.isStopping else { return }
            facts.withLockedValue { $0.phase = .connecting }
            course.dialling = Task { [dial, next] in
                do { next.yield(.dialled(.success(try await dial()))) } catch { next.yield(.dialled(.failure(error))) }
            }
        case .dialled(.success(let remote)):
            join(remote, &course)
        case .dialled(.failure(let error)):
            course.dialling = nil
            guard !course.isStopping else { return }
            let end = error as? ConnectionEnd ?? ConnectionEnd(.lost, "\(error)")
            course.failure = end.reason
            observe(.failed(reason: end.reason))
            refuseLocal(end, code: "upstream-unavailable")
        case .localEnded(let end):
            course.localEnd = end
            markEnding()
            // While it is being dialled what the client has said waits: its end is passed on behind that.
            if let remote = course.remote, course.remoteEnd == nil, !course.isStopping { farewell(remote, &course) }
        case .remoteEnded(let end):
            course.remoteEnd = end
            markEnding()
            let isOrderly = end.code == .closed || end.code == .disposed
            if course.localEnd == nil, !isOrderly {
                course.failure = end.reason
                observe(.failed(reason: end.reason))
                refuseLocal(end, code: "session-ended")
            } else {
                local.close(.closed)
            }
        case .stop:
            course.isStopping = true
            markEnding()
            course.dialling?.cancel()
            course.remote?.transport.close(.disposed)
            local.close(.disposed)
        }
    }

    /// The session is there: joins it with the client.
    private func join(_ remote: TunnelRemote, _ course: inout Course) {
        course.dialling = nil
        course.remote = remote
        let incoming = TunnelDirection(from: remote.transport) { [next] in next.yield(.remoteEnded($0)) }
        course.incoming = incoming
        incoming.begin(to: local)
        remote.transport.start(delivering: incoming)
        outgoing.begin(to: remote.transport)
        facts.withLockedValue { facts in
            facts.statistics = remote.statistics
            if facts.phase == .connecting { facts.phase = .connected }
        }
        course.watching = Task { [self] in await watch(remote.events) }
        if course.isStopping {
            remote.transport.close(.disposed)
        } else if course.localEnd != nil {
            farewell(remote, &course)
        } else {
            observe(.connected(address: remote.address))
        }
    }

    /// Ends the session of a client that has ended, as soon as the gateway has everything and can be told: without a
    /// connection nothing would leave any more, and a connection may be lost without anybody knowing yet.
    private func farewell(_ remote: TunnelRemote, _ course: inout Course) {
        course.farewell = Task {
            let deadline = ContinuousClock.now + Self.farewellLimit
            while ContinuousClock.now < deadline, !Task.isCancelled {
                let now = remote.statistics()
                guard now.messages > 0 || now.isAway else { break }
                try? await Task.sleep(for: now.isAway ? Self.awayPause : Self.farewellPause)
            }
            remote.transport.close(ConnectionEnd(.disposed, "the local client has ended"))
        }
    }

    /// Follows what happens on the way to the gateway.
    private func watch(_ events: AsyncStream<TunnelRemote.Event>) async {
        for await event in events {
            switch event {
            case .reconnecting(let attempt, let delay, _):
                set(.reconnecting(attempt: attempt, at: .now + delay))
            case .reconnected:
                set(.connected)
            case .goingAway:
                break
            }
            observe(.changed(event))
        }
    }

    private func set(_ phase: Phase) {
        facts.withLockedValue { facts in
            if facts.phase != .ending { facts.phase = phase }
        }
    }

    private func markEnding() {
        facts.withLockedValue { $0.phase = .ending }
    }

    /// Closes the client's connection, and tells a client that understands it why.
    private func refuseLocal(_ end: ConnectionEnd, code: String) {
        if let connection = local as? PlainConnection {
            connection.refuse(code: code, reason: end.reason)
        } else {
            local.close(end)
        }
    }

    private func summary(_ course: Course) -> TunnelHappening.Summary {
        let reason =
            if let failure = course.failure {
                failure
            } else if course.isStopping {
                "the tunnel is stopping"
            } else if let end = course.remoteEnd, end.code != .disposed {
                "the gateway has closed the session: \(end.reason)"
            } else {
                "the client has ended: \(course.localEnd?.reason ?? "")"
            }
        return TunnelHappening.Summary(
            reason: reason,
            isFailure: course.failure != nil || course.localEnd?.code == .malformed,
            sent: outgoing.count,
            received: course.incoming?.count ?? TunnelDirection.Count()
        )
    }
}
