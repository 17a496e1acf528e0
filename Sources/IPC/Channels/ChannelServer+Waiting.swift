// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Synchronization

/// Requests that wait: for a channel that is not registered yet, or for a peer that does not read its answers.
extension ChannelServer {
    /// Keeps a request until its channel is registered or its time is over.
    func park(_ request: HeldRequests.Request, for channel: IPCString, _ state: inout State) -> Step {
        let deadline = ContinuousClock.now.advanced(by: options.unknownChannelTimeout)
        if state.parked.park(request, for: channel, until: deadline) {
            if state.parkingTimer == nil { state.parkingTimer = makeParkingTimer() }
            return .nothing
        }
        let text = "too many requests wait for channels that nobody has registered"
        switch request.message {
        case .call(let id, _, _, _):
            return Self.answer(id, RemoteError(name: "Busy", message: IPCString(text)), &state)
        case .listen(_, _, let event, _):
            return .report("a subscription to \(channel).\(event) came to nothing: \(text)")
        default:
            return .nothing
        }
    }

    private func makeParkingTimer() -> Task<Void, Never> {
        Task { [weak self] in
            while let deadline = self?.nextParkingDeadline() {
                guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
                self?.expireParked()
            }
        }
    }

    private func nextParkingDeadline() -> ContinuousClock.Instant? {
        state.withLock { state in
            // Whoever parks next starts another timer.
            if state.parked.nextDeadline == nil { state.parkingTimer = nil }
            return state.parked.nextDeadline
        }
    }

    private func expireParked() {
        let answers = state.withLock { state in
            state.parked.takeExpired(at: .now).compactMap { parked -> [UInt8]? in
                guard case .call(let id, let channel, _, _) = parked.request.message, state.responder.finish(id) else {
                    return nil  // VS Code says nothing of a subscription either.
                }
                return IPCMessage.failure(id: id, error: Self.unknownChannel(channel, options.unknownChannelTimeout))
            }
        }
        for answer in answers { transport.send(answer) }
    }

    private static func unknownChannel(_ channel: IPCString, _ timeout: Duration) -> IPCValue {
        let milliseconds = timeout.components.seconds * 1000 + timeout.components.attoseconds / 1_000_000_000_000_000
        return .object([
            "name": "Unknown channel",
            "message": IPCValue("Channel name '\(channel)' timed out after \(milliseconds)ms"),
        ])
    }

    /// Waits until the peer has read, or has no subscription of this id any more.
    func waitForRoom(_ id: UInt64) async {
        while transport.isCongested, state.withLock({ $0.responder.isSubscribed(id) }) { await transport.drain() }
    }

    /// Serves what was held, one after the other, whenever the peer reads its answers.
    func releaseHeld() {
        Task {
            while true {
                while transport.isCongested, !state.withLock({ $0.isDisposed }) { await transport.drain() }
                let next = state.withLock { state in
                    let next = state.held.takeNext()
                    if state.held.mayResume(below: options.heldRequestBytes / 2) { transport.setDelivering(true) }
                    return next
                }
                switch next {
                case .serve(let request):
                    guard let end = perform(request) else { continue }
                    dispose()
                    return transport.close(end)
                case .answerCancelled(let id):
                    transport.send(IPCMessage.failure(id: id, error: RemoteError.canceled.body))
                case .nothing:
                    return
                }
            }
        }
    }
}
