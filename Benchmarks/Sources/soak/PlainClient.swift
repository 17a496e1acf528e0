// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import TLSEngine

/// A client of the plain protocol: what it had asked is lost with its connection, and nothing else is.
struct PlainClient {
    let name: String
    let tls: TLSContext
    /// The bad network it comes through; nil for one whose connection must never end.
    let link: FaultyLink?
    let port: UInt16
    let course: Course
    var generator: SeededGenerator

    /// Calls until the course ends.
    mutating func run() {
        var ledger = Ledger()
        while !course.isEnding {
            let start = PersistentPeer.now
            do {
                try live(&ledger)
            } catch {
                let isExcused = link?.wasCut(since: start) == true || course.hadShortage(since: start)
                if !isExcused || Self.isWrong(error) { course.report(name, "\(error)") }
                if link == nil { break }
                ledger.forget()
                letTimePass(milliseconds: Int32.random(in: 5...100, using: &generator))
            }
        }
        course.add(ledger.figures, as: link == nil ? "untouched" : "plain")
    }

    /// What no cut explains.
    private static func isWrong(_ error: any Error) -> Bool {
        let text = "\(error)"
        return text.contains("answer") || text.contains("event") || text.contains("unexpected") || error is WireError
    }

    /// One connection, from its beginning to its end.
    private mutating func live(_ ledger: inout Ledger) throws {
        let stream = try BlockingStream(
            host: "127.0.0.1",
            port: link?.port ?? port,
            tls: tls,
            serverName: "localhost"
        )
        ledger.count { $0.connections += 1 }
        var decoder = FrameDecoder()
        try stream.send(ConnectionOpening.client(context: IPCValue(name)))
        for channel in Ledger.channels.indices {
            try stream.send(Frame.regular(ledger.listen(channel: channel)).encoded())
        }
        while !course.isEnding {
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let call = ledger.call(channel: Int.random(in: 0...1, using: &generator), size: size())
                try stream.send(Frame.regular(call).encoded())
            }
            while ledger.openCount > 0 {
                switch try stream.receive(milliseconds: patient(60_000)) {
                case .bytes(let bytes): decoder.append(bytes.span)
                case .end: throw TestSupportError("the connection was closed")
                case .nothing: throw TestSupportError("no answer to \(ledger.openCount) calls within a minute")
                }
                while let frame = try decoder.next() {
                    guard frame.type == .regular else {
                        throw TestSupportError("the gateway says \(String(decoding: frame.body, as: UTF8.self))")
                    }
                    try ledger.take(frame.body)
                }
            }
            letTimePass(milliseconds: Int32.random(in: 5...60, using: &generator))
        }
        stream.finishSending()
        while case .bytes = try stream.receive(milliseconds: patient(20_000)) {}
        // Its subscriptions end with it.
        ledger.forget()
    }

    private mutating func size() -> Int {
        Int.random(in: 0..<20, using: &generator) == 0 ? 64 << 10 : Int.random(in: 0...200, using: &generator)
    }
}
