// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore

/// A client's end of a session: does what its ``SessionKeeper`` decides.
final class SessionDialler: SessionRole {
    let engine: SessionEngine
    private let endpoints: [ClientEndpoint]
    private let options: ReconnectionOptions
    private var keeper: SessionKeeper
    private var dialling: Task<Void, Never>?
    /// Tells apart what comes of one attempt and of those before.
    private var dialNumber = 0
    /// What is dialled, or was last.
    private var dialled: ClientEndpoint?
    private var timer: Scheduled<Void>?
    private let opened: EventLoopPromise<Void>

    /// On the event loop.
    init(
        _ endpoints: [ClientEndpoint],
        options: ReconnectionOptions,
        transport: TransportOptions,
        eventLoop: any EventLoop
    ) {
        var options = options
        options.session = SessionEngine.settings(options.session, transport)
        self.endpoints = endpoints
        self.options = options
        keeper = SessionKeeper(names: endpoints.map { "\($0)" }, options: options)
        opened = eventLoop.makePromise()
        engine = SessionEngine(settings: options.session, eventLoop: eventLoop, options: transport)
        engine.role = self
    }

    /// Begins to dial.
    ///
    /// - Returns: When there is a session.
    func begin() -> EventLoopFuture<Void> {
        perform(keeper.start())
        return opened.futureResult
    }

    /// Nobody wants the session any more.
    func cancel() {
        opened.fail(CancellationError())
        engine.finish(.disposed, isOurs: true)
    }

    // MARK: SessionRole

    func received(_ control: SessionControl) {
        let isUnheard = engine.session.isUnheard
        perform(keeper.received(control, isUnheard: isUnheard, at: SessionEngine.now, chance: options.chance()))
    }

    func lost(_ end: ConnectionEnd) {
        let hasProgressed = engine.hasProgressed
        perform(
            keeper.lost(end, hasProgressed: hasProgressed, at: SessionEngine.now, chance: options.chance())
        )
    }

    func ended(_ end: ConnectionEnd) {
        keeper.stop()
        stopDialling()
        timer?.cancel()
        timer = nil
        opened.fail(end)
    }

    // MARK: Actions

    private func perform(_ actions: [SessionKeeper.Action]) {
        for action in actions {
            switch action {
            case .dial(let number): dial(endpoints[number])
            case .hangUp:
                stopDialling()
                engine.detach()
            case .abort:
                stopDialling()
                engine.link?.resetWhenClosed()
                engine.detach()
            case .send(let control): engine.send(control)
            case .open:
                engine.session.open(at: SessionEngine.now)
                noteFacts()
                opened.succeed()
                engine.schedulePump()
            case .resume:
                engine.session.endReconnection(at: SessionEngine.now)
                noteFacts()
                engine.schedulePump()
            case .report(let state): engine.shared.report(state)
            case .end(let end):
                opened.fail(end)
                engine.giveUp(end)
            }
        }
        armTimer()
    }

    private func noteFacts() {
        engine.shared.endpoint = dialled
        engine.shared.noteReconnections(keeper.reconnections)
        if let time = keeper.roundTripTime { engine.shared.noteRoundTrip(.nanoseconds(Int64(clamping: time))) }
    }

    private func dial(_ endpoint: ClientEndpoint) {
        dialNumber += 1
        dialled = endpoint
        let number = dialNumber
        let transport = engine.options
        let eventLoop = engine.eventLoop
        let this = NIOLoopBound(self, eventLoop: eventLoop)
        // A task, since it reads files and waits; certificates are read anew each time.
        dialling = Task {
            let result: Result<NIOLoopBound<SessionLink>, ConnectionEnd>
            do {
                result = .success(try await SessionLink.dial(endpoint, options: transport, eventLoop: eventLoop))
            } catch {
                result = .failure((error as? ConnectionEnd) ?? ConnectionEnd(.lost, "\(endpoint): \(error)"))
            }
            eventLoop.execute { this.value.dialled(result.map(\.value), number) }
        }
    }

    private func stopDialling() {
        dialNumber += 1
        dialling?.cancel()
        dialling = nil
    }

    private func dialled(_ result: Result<SessionLink, ConnectionEnd>, _ number: Int) {
        guard number == dialNumber, engine.phase == .open else {
            if case .success(let link) = result { link.close() }
            return
        }
        dialling = nil
        switch result {
        case .failure(let end):
            perform(keeper.lost(end, at: SessionEngine.now, chance: options.chance()))
        case .success(let link):
            let now = SessionEngine.now
            if keeper.beginsAnew {
                engine.session.beginAnew(at: now)
            } else if keeper.hasSession {
                engine.session.beginReconnection(at: now)
            } else {
                engine.session = PersistentSession(settings: options.session, startsOpen: false, at: now)
            }
            perform(keeper.connected(at: now))
            engine.attach(link)
        }
    }

    private func armTimer() {
        timer?.cancel()
        timer = nil
        let deadline = keeper.nextDeadline
        guard deadline < .max, engine.phase == .open else { return }
        let time = NIODeadline.uptimeNanoseconds(min(deadline, UInt64(Int64.max)))
        timer = engine.eventLoop.assumeIsolated().scheduleTask(deadline: time) {
            // A session that is ending has its own deadline, and its connection is left to it.
            guard self.engine.phase == .open else { return }
            self.perform(self.keeper.advance(to: SessionEngine.now, chance: self.options.chance()))
        }
    }
}

@available(*, unavailable)
extension SessionDialler: Sendable {}
