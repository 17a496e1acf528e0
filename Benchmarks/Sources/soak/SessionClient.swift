// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine

/// A client whose session outlives its connections: every call of it has to be answered, whatever happens to them.
struct SessionClient {
    let name: String
    let tls: TLSConfiguration
    let link: FaultyLink
    let course: Course
    var generator: SeededGenerator
    /// How many messages had come when the session began.
    private var receivedBefore = 0

    init(name: String, tls: TLSConfiguration, link: FaultyLink, course: Course, generator: SeededGenerator) {
        (self.name, self.tls, self.link, self.course, self.generator) = (name, tls, link, course, generator)
    }

    /// Calls until the course ends.
    mutating func run() {
        var ledger = Ledger()
        do {
            let peer = try PersistentPeer(port: link.port, tls: tls)
            try begin(peer, &ledger)
            while !course.isEnding {
                for _ in 0..<Int.random(in: 1...6, using: &generator) where peer.canSend {
                    let size = Int.random(in: 0..<20, using: &generator) == 0 ? 32 << 10 : 100
                    try peer.send(ledger.call(channel: Int.random(in: 0...1, using: &generator), size: size))
                }
                try finishCalls(peer, &ledger)
                try peer.poll(milliseconds: Int32.random(in: 5...60, using: &generator))
            }
            try finishCalls(peer, &ledger)
            try comeBack(peer, &ledger)
            try peer.disconnect()
        } catch {
            course.report(name, "\(error)")
        }
        course.add(ledger.figures, as: "sessions")
    }

    /// A session has begun when the gateway has said so; what was cut before that begins anew.
    private mutating func begin(_ peer: PersistentPeer, _ ledger: inout Ledger) throws {
        let deadline = PersistentPeer.now + UInt64(patient(60_000)) * 1_000_000
        while true {
            if case .ok = try peer.connect() { break }
            guard PersistentPeer.now < deadline else { throw TestSupportError("no session within a minute") }
            letTimePass(milliseconds: Int32.random(in: 10...100, using: &generator))
        }
        ledger.count { $0.connections += 1 }
        receivedBefore = peer.receivedCount
        try peer.announce(IPCValue(name))
        for channel in Ledger.channels.indices { try peer.send(ledger.listen(channel: channel)) }
    }

    private mutating func finishCalls(_ peer: PersistentPeer, _ ledger: inout Ledger) throws {
        let deadline = PersistentPeer.now + UInt64(patient(60_000)) * 1_000_000
        while ledger.openCount > 0 {
            if let message = try peer.receive(milliseconds: 1_000) {
                try ledger.take(message)
            } else {
                try comeBack(peer, &ledger)
            }
            guard PersistentPeer.now < deadline else {
                throw TestSupportError("no answer to \(ledger.openCount) calls of a session within a minute")
            }
        }
    }

    private mutating func comeBack(_ peer: PersistentPeer, _ ledger: inout Ledger) throws {
        let deadline = PersistentPeer.now + UInt64(patient(60_000)) * 1_000_000
        while !peer.isConnected {
            switch try peer.resume() {
            case .ok:
                ledger.count { $0.resumptions += 1 }
                return
            case .refused(.unknownSession, _) where peer.receivedCount == receivedBefore:
                // It was cut before its context had arrived: there is no session before that.
                ledger.forget()
                return try begin(peer, &ledger)
            case .refused(let code, let reason):
                throw TestSupportError("the session is not resumed: \(reason) (\(code))")
            case .ended, .nothing: letTimePass(milliseconds: Int32.random(in: 10...100, using: &generator))
            }
            guard PersistentPeer.now < deadline else { throw TestSupportError("not resumed within a minute") }
        }
    }
}
