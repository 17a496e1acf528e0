// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore

/// A connection that was accepted and whose client has not yet said which session it is for.
final class SessionGreeter: SessionLinkOwner {
    private let host: SessionHost
    private let link: SessionLink
    private var session: PersistentSession
    private var timer: Scheduled<Void>?
    /// Whether it was refused, or is gone. What comes then is not looked at: a session over a connection that is about to be
    /// closed would never hear of its end.
    private var isDone = false

    private init(_ link: SessionLink, host: SessionHost) {
        self.host = host
        self.link = link
        var settings = host.settings
        // Nothing larger has to come before there is a session, so nothing larger is kept.
        settings.limits.frameBytes = settings.controlBytes
        session = PersistentSession(settings: settings, startsOpen: false, at: SessionEngine.now)
    }

    /// Waits for `connect`. The link keeps the greeter.
    static func greet(_ link: SessionLink, for host: SessionHost) {
        let greeter = SessionGreeter(link, host: host)
        let timeout = TimeAmount(host.transport.handshakeTimeout)
        greeter.timer = host.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
            greeter.refuse(SessionFailure(.malformed, "no 'connect' came in time"))
        }
        link.start(greeter)
    }

    func linkRead(_ link: SessionLink, _ bytes: ByteBuffer) {
        guard !isDone else { return }
        session.append(bytes.readableBytesUInt8Span, at: SessionEngine.now)
        do throws(SessionFailure) {
            while let event = try session.nextEvent(at: SessionEngine.now) {
                guard case .control(let json) = event else { return abandon() }
                guard case .connect(let token) = try SessionControl(json) else {
                    throw SessionFailure(.malformed, "the first Control message is not 'connect'")
                }
                timer?.cancel()
                if let token {
                    try host.resume(token, over: link, unread: session.takeUnread())
                } else {
                    try host.open(over: link, unread: session.takeUnread())
                }
                return
            }
        } catch {
            let isStranger = session.failure != nil
            let hint = "this server speaks the persistent protocol, where 'connect' comes first"
            refuse(isStranger ? SessionFailure(.malformed, hint) : error)
        }
    }

    func linkReadComplete(_ link: SessionLink) {}

    func linkWritable(_ link: SessionLink) {}

    func linkEnded(_ link: SessionLink, _ end: ConnectionEnd) {
        abandon()
    }

    private func abandon() {
        isDone = true
        timer?.cancel()
        link.close()
    }

    private func refuse(_ failure: SessionFailure) {
        guard !isDone else { return }
        isDone = true
        timer?.cancel()
        try? session.sendControl(SessionControl.error(failure.code, reason: failure.message).encoded())
        // Not now: nothing may be written while bytes are being read.
        host.eventLoop.assumeIsolated().execute { [self] in
            var bytes: [UInt8] = []
            session.appendOutput(to: &bytes, upTo: .max, at: SessionEngine.now)
            link.write(ByteBuffer(bytes: bytes))
            link.finish(within: TimeAmount(host.transport.lingerTimeout)) {}
        }
    }
}

@available(*, unavailable)
extension SessionGreeter: Sendable {}
