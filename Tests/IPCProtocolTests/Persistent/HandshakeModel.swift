// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// A client that opens a session, announces its context and sends messages, and a server that keeps sessions by their tokens
/// and sends each message back. Connections are cut where a test says.
struct HandshakeModel {
    /// Where a connection is cut: when so many bytes of one direction have arrived; those of the other that are on their way
    /// are lost.
    struct Cut {
        /// 0 for what the client sends, 1 for what the server sends.
        var side: Int
        var bytes: Int
    }

    /// A session at the server.
    private struct Kept {
        var session: PersistentSession
        var messages: [String] = []
    }

    /// The context is the first of them.
    private static let texts = ["context", "initialize", "one", "two", "three"]
    private static let settings: SessionSettings = {
        var settings = SessionSettings()
        settings.acknowledgesEarlyAt = SessionWindow(messages: 1, bytes: 1)
        return settings
    }()

    private var now: UInt64 = 0
    private var client: PersistentSession
    private var token: String?
    private var echoes: [String] = []
    private var sessions: [String: Kept] = [:]
    private var tokenCount = 0
    /// The server's side of the connection: the session it belongs to, or who has not said so yet.
    private var current: String?
    private var newcomer: PersistentSession?
    private var isOpen = false
    /// Bytes that have arrived over the last connection, from the client and from the server.
    private(set) var carried = [0, 0]
    /// The first thing that was wrong.
    private(set) var problem: String?

    init() {
        client = PersistentSession(settings: Self.settings, startsOpen: false, at: 0)
        client.connectionLost()
    }

    /// Whether everything has arrived, and is known to have.
    var isSettled: Bool {
        echoes == Self.texts && client.unacknowledgedCount == 0
            && sessions.values.allSatisfy { $0.session.unacknowledgedCount == 0 }
    }

    // MARK: A connection

    /// Connects, with the token if there is one, and lets everything arrive, or what arrives before the cut.
    mutating func connect(_ cut: Cut?) {
        now += SessionStage.second
        carried = [0, 0]
        isOpen = true
        newcomer = PersistentSession(settings: Self.settings, startsOpen: false, at: now)
        trying { model throws(SessionFailure) in
            if model.token == nil {
                // No message of an earlier try was accepted: what was sent is sent anew.
                model.client = PersistentSession(settings: Self.settings, startsOpen: false, at: model.now)
                for text in Self.texts { try model.client.send(Array(text.utf8), at: model.now) }
            } else {
                model.client.beginReconnection(at: model.now)
            }
            try model.client.sendControl(SessionControl.connect(token: model.token).encoded())
        }
        var isQuiet = false
        while isOpen, !isQuiet, problem == nil {
            isQuiet = true
            for side in 0...1 {
                let bytes = output(of: side)
                if !bytes.isEmpty { isQuiet = false }
                carry(bytes, from: side, cut)
            }
        }
        lose()
    }

    private mutating func output(of side: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        if side == 0 {
            client.appendOutput(to: &bytes, upTo: .max, at: now)
        } else if let current {
            sessions[current]?.session.appendOutput(to: &bytes, upTo: .max, at: now)
        } else {
            newcomer?.appendOutput(to: &bytes, upTo: .max, at: now)
        }
        return bytes
    }

    /// Bytes arrive one by one: wherever the cut is, what was whole before it has had its effect.
    private mutating func carry(_ bytes: [UInt8], from side: Int, _ cut: Cut?) {
        for byte in bytes where isOpen && problem == nil {
            if let cut, cut.side == side, carried[side] >= cut.bytes {
                isOpen = false
                return
            }
            carried[side] += 1
            trying { model throws(SessionFailure) in
                if side == 0 { try model.serverReceives([byte]) } else { try model.clientReceives([byte]) }
            }
        }
    }

    /// Both sides notice the end.
    private mutating func lose() {
        isOpen = false
        client.connectionLost()
        newcomer = nil
        if let current {
            sessions[current]?.session.connectionLost()
            // Nobody may be able to name it: its token may never have arrived.
            if sessions[current]?.messages.isEmpty == true { sessions[current] = nil }
        }
        current = nil
        if sessions.count > 1 { fail("\(sessions.count) sessions are kept") }
    }

    // MARK: The two sides

    private mutating func serverReceives(_ bytes: [UInt8]) throws(SessionFailure) {
        if newcomer != nil {
            newcomer?.append(bytes.span, at: now)
            guard case .control(let json)? = try newcomer?.nextEvent(at: now) else { return }
            guard case .connect(let token) = try SessionControl(json) else { return fail("not a connect") }
            try admit(token)
        } else if let current {
            sessions[current]?.session.append(bytes.span, at: now)
        }
        guard let current else { return }
        while let event = try sessions[current]?.session.nextEvent(at: now) {
            guard case .message(let body) = event else { return fail("the server got \(event)") }
            sessions[current]?.messages.append(String(decoding: body, as: UTF8.self))
            try sessions[current]?.session.send(body, at: now)
        }
    }

    private mutating func admit(_ shown: String?) throws(SessionFailure) {
        guard let shown else {
            tokenCount += 1
            let token = "gateway.\(tokenCount)"
            guard var session = newcomer else { return }
            try session.sendControl(SessionControl.ok(token: token, graceTime: 300).encoded())
            session.open(at: now)
            sessions[token] = Kept(session: session)
            current = token
            newcomer = nil
            return
        }
        guard sessions[shown] != nil else {
            try newcomer?.sendControl(SessionControl.error(.unknownSession, reason: "it is not known").encoded())
            return
        }
        let unread = newcomer?.takeUnread() ?? []
        newcomer = nil
        current = shown
        sessions[shown]?.session.beginReconnection(unread: unread, at: now)
        try sessions[shown]?.session.sendControl(SessionControl.ok(token: shown, graceTime: 300).encoded())
        sessions[shown]?.session.endReconnection(at: now)
    }

    private mutating func clientReceives(_ bytes: [UInt8]) throws(SessionFailure) {
        client.append(bytes.span, at: now)
        while let event = try client.nextEvent(at: now) {
            switch event {
            case .message(let body): echoes.append(String(decoding: body, as: UTF8.self))
            case .disconnected: fail("disconnected")
            case .control(let json):
                switch try SessionControl(json) {
                case .ok(let token, _):
                    self.token = token
                    client.open(at: now)
                    client.endReconnection(at: now)
                case .error(.unknownSession, _):
                    if !echoes.isEmpty { fail("a session is gone that has answered") }
                    token = nil
                    isOpen = false
                case let other: fail("the client got \(other)")
                }
            }
        }
    }

    // MARK: What has to hold

    /// What has to hold in the end.
    mutating func checkEnd() {
        guard problem == nil else { return }
        if sessions.count != 1 { fail("\(sessions.count) sessions in the end") }
        if sessions.values.first?.messages != Self.texts { fail("the server got \(sessions.values.map(\.messages))") }
        if echoes != Self.texts { fail("the client got \(echoes)") }
        if !isSettled { fail("something is not acknowledged") }
    }

    private mutating func trying(_ body: (inout HandshakeModel) throws(SessionFailure) -> Void) {
        do throws(SessionFailure) {
            try body(&self)
        } catch {
            fail("\(error)")
        }
    }

    private mutating func fail(_ text: String) {
        problem = problem ?? text
    }
}
