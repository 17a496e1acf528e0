// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
public import IPCProtocol
public import TLSEngine

extension PersistentPeer {
    /// Asks for a new session on a new connection, and waits for what the gateway says. What the last session was is
    /// forgotten.
    ///
    /// - Parameter milliseconds: How long to wait; 0 does not, ``waitForReply(milliseconds:)`` does.
    @discardableResult
    public func connect(milliseconds: Int32 = patient(10_000)) throws -> Reply {
        token = nil
        requester = .init()
        answers = [:]
        events = [:]
        session = PersistentSession(settings: settings, startsOpen: false, at: Self.now)
        return try ask(SessionControl.connect(token: nil), milliseconds: milliseconds)
    }

    /// Asks for the session that there is on a new connection, and waits for what the gateway says.
    ///
    /// - Parameters:
    ///   - otherToken: The token to show; nil for the right one.
    ///   - otherTLS: What to connect with this time; nil for ``tls``.
    ///   - keepsLast: Whether the connection that is there is left open, as if its loss had not been seen.
    ///   - milliseconds: How long to wait; 0 does not, ``waitForReply(milliseconds:)`` does.
    @discardableResult
    public func resume(
        token otherToken: String? = nil,
        tls otherTLS: TLSConfiguration? = nil,
        keepingLast keepsLast: Bool = false,
        milliseconds: Int32 = patient(10_000)
    ) throws -> Reply {
        guard let shown = otherToken ?? token else { throw TestSupportError("there is no session to resume") }
        if let stream {
            if keepsLast { keptStreams.append(stream) }
            lose(nil)
        }
        session.beginReconnection(at: Self.now)
        let context = try otherTLS.map(Self.context) ?? tls
        return try ask(SessionControl.connect(token: shown), with: context, milliseconds: milliseconds)
    }

    /// Opens a connection and says nothing on it, for ``sendRaw(_:)``. What the session was is forgotten.
    ///
    /// - Returns: Nil, or how it ended at once.
    @discardableResult
    public func dial(tls otherTLS: TLSConfiguration? = nil) throws -> TestClient.Ending? {
        session = PersistentSession(settings: settings, startsOpen: false, at: Self.now)
        return try open(with: try otherTLS.map(Self.context) ?? tls)
    }

    private func open(with context: TLSContext?) throws -> TestClient.Ending? {
        refusal = nil
        reply = nil
        ending = nil
        isDisconnectedByPeer = false
        do {
            let stream = try BlockingStream(host: host, port: port)
            if let context { try stream.startTLS(context, serverName: "localhost") }
            self.stream = stream
        } catch {
            lose(Self.ending(error))
        }
        return ending
    }

    private func ask(_ control: SessionControl, milliseconds: Int32) throws -> Reply {
        try ask(control, with: tls, milliseconds: milliseconds)
    }

    private func ask(_ control: SessionControl, with context: TLSContext?, milliseconds: Int32) throws -> Reply {
        if let ending = try open(with: context) { return .ended(ending) }
        try session.sendControl(control.encoded())
        try write()
        return milliseconds == 0 ? .nothing : try waitForReply(milliseconds: milliseconds)
    }

    /// Waits for what the gateway says to `connect`.
    public func waitForReply(milliseconds: Int32 = patient(10_000)) throws -> Reply {
        try poll(milliseconds: milliseconds) { self.reply != nil }
        return reply ?? ending.map { .ended($0) } ?? .nothing
    }

    /// Gives the connection up, in mid-sentence; the session stays.
    public func cut(_ cut: Cut = .reset) {
        guard let stream else { return }
        switch cut {
        case .finish:
            stream.finishSending(closeNotify: false)
            // To close it at once would be a reset if there were bytes that were not read.
            endedStreams = endedStreams.suffix(8) + [stream]
        case .reset: stream.resetOnClose()
        case .silence: keptStreams.append(stream)
        }
        lose(.lost("cut by the test"))
    }

    /// Ends the connections that were given up without a word, or kept beside a new one.
    public func closeKeptConnections() {
        keptStreams = []
    }

    /// Says that the session is over, behind everything that was sent, and ends the connection in order.
    public func disconnect() throws {
        session.sendDisconnect()
        try poll(milliseconds: patient(10_000)) { !self.session.hasOutput && self.stream?.queuedByteCount == 0 }
        guard let stream else { return }
        stream.finishSending()
        endedStreams = endedStreams.suffix(8) + [stream]
        lose(.inOrder)
    }

    /// Sends frames as they are, which the session knows nothing of.
    public func sendRaw(_ frames: Frame...) throws {
        try sendRaw(frames.flatMap { $0.encoded() })
    }

    /// Sends bytes as they are, which the session knows nothing of.
    public func sendRaw(_ bytes: [UInt8]) throws {
        do { try stream?.queue(bytes) } catch { lose(Self.ending(error)) }
    }

    /// Sends what is no TLS, beneath it.
    public func corruptTLS() throws {
        try stream?.sendBeneathTLS([UInt8](repeating: 0x5A, count: 64))
    }

    /// Forgets the connection.
    func lose(_ ending: TestClient.Ending?) {
        stream = nil
        self.ending = ending
        session.connectionLost()
    }

    static func ending(_ error: any Error) -> TestClient.Ending {
        (error as? TLSError).map { .refused($0) } ?? .lost("\(error)")
    }
}
