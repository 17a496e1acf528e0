// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore

extension PlainHandler {
    // MARK: The peer ends

    /// Nothing more comes in.
    func inputClosed(_ end: ConnectionEnd) {
        switch phase {
        case .open:
            guard inputEnd == nil else { return }
            inputEnd = end
            if let whenReady {
                self.whenReady = nil
                whenReady(.failure(end))
                finish(end)
            } else {
                deliver()
            }
        case .finishing:
            inputEnd = inputEnd ?? end
        case .lingering:
            closeChannel()
        case .over:
            break
        }
    }

    /// Everything that has come was delivered.
    func inputDelivered() {
        guard let inputEnd else { return }
        let missing = decoder.bufferedByteCount
        if let lastWord {
            finish(lastWord)
        } else if inputEnd.code == .closed, missing > 0 {
            finish(ConnectionEnd(.lost, "the connection ended inside a frame, of which \(missing) bytes had come"))
        } else {
            finish(inputEnd)
        }
    }

    /// The channel is closed, whoever did it.
    func terminated() {
        guard phase != .over else { return }
        outbox.end()
        timer?.cancel()
        timer = nil
        watch.reset()
        if phase == .open {
            inputClosed(ConnectionEnd(.lost, "the connection was lost: the peer is gone"))
            // Otherwise the receiver has not taken everything yet.
            guard phase != .open else { return }
        }
        phase = .over
        tell()
    }

    // MARK: This side ends

    /// Ends the connection: what was sent before still leaves, then the peer gets time to read it.
    ///
    /// - Parameter isOurs: Whether this side has decided it without a fault of the peer: then the receiver hears of it
    ///   when everything has left. Otherwise it waits for nothing more, and hears at once.
    func finish(_ end: ConnectionEnd, isOurs: Bool = false) {
        guard phase == .open else { return }
        phase = .finishing
        self.end = end
        whenReady = nil
        outbox.stopAccepting()
        timer?.cancel()
        timer = nil
        watch.reset()
        if !isOurs { tell() }
        guard let context, context.channel.isActive else {
            closeChannel()
            phase = .over
            outbox.end()
            return tell()
        }
        startLinger()
        // What comes is thrown away, and the peer's end noticed.
        setReading(true)
        pump()
    }

    /// Ends the connection at once.
    func abort(_ end: ConnectionEnd) {
        guard phase == .open || phase == .finishing else { return }
        if let whenReady {
            self.whenReady = nil
            whenReady(.failure(end))
        }
        phase = .lingering
        self.end = self.end ?? end
        outbox.end()
        tell()
        closeChannel()
    }

    /// More waits for the peer than may.
    func overflowed() {
        let bound = options.maximumPendingBytes
        abort(ConnectionEnd(.slowPeer, "the peer does not read: more than \(bound) bytes wait for it"))
    }

    /// Everything was handed over: says so to the peer as soon as the system has taken it.
    func finishSending() {
        guard phase == .finishing, let context, !isFinishingSending else { return }
        isFinishingSending = true
        // Before the empty write: when that is done, nothing may be left that closing the channel would drop.
        if tls != nil { context.triggerUserOutboundEvent(TLSHandler.FinishSending(), promise: nil) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in self.sentEverything() }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    private func sentEverything() {
        guard phase == .finishing else { return }
        phase = .lingering
        tell()
        guard let context else { return }
        context.close(mode: .output, promise: nil)
        if inputEnd != nil {
            closeChannel()
        } else {
            startLinger()
        }
    }

    /// Tells the receiver of the end, and lets it go.
    func tell() {
        guard let end, let receiver else { return }
        self.receiver = nil
        receiver.connectionEnded(end)
    }

    /// Closes the channel, which leads to ``terminated()``.
    func closeChannel() {
        context?.close(promise: nil)
    }

    // MARK: Deadlines

    private func startLinger() {
        timer?.cancel()
        let leaving = phase == .finishing ? options.leavingTimeout : nil
        let time = TimeAmount(leaving ?? options.lingerTimeout)
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: time) {
            self.lingerExpired()
        }
        _ = currentStall()
    }

    private func lingerExpired() {
        if phase == .finishing, currentStall() == .zero {
            // The peer takes what was sent before, slowly.
            startLinger()
        } else {
            closeChannel()
        }
    }

    /// Watches the peer as long as something waits for it.
    func watchForStall() {
        guard phase == .open, !watch.isRunning else { return }
        watch.isRunning = true
        scheduleLook()
    }

    private func scheduleLook() {
        let pause = TimeAmount.nanoseconds(max(1_000_000, TimeAmount(options.stallTimeout).nanoseconds / 8))
        timer = context?.eventLoop.assumeIsolated().scheduleTask(in: pause) { self.look() }
    }

    private func look() {
        guard phase == .open else { return }
        guard bufferedByteCount > 0 || !outbox.isEmpty else { return watch.reset() }
        let stall = currentStall()
        guard stall >= TimeAmount(options.stallTimeout) else { return scheduleLook() }
        let seconds = Double(stall.nanoseconds / 10_000_000) / 100
        abort(ConnectionEnd(.slowPeer, "the peer has taken nothing of what waits for it for \(seconds) s"))
    }

    /// For how long the peer has taken nothing, as far as was looked.
    private func currentStall() -> TimeAmount {
        watch.stall(taken: (tls?.handedByteCount ?? handedByteCount) - bufferedByteCount, now: .now())
    }

    /// What the channel holds because the system has not taken it.
    private var bufferedByteCount: Int {
        (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }
}
