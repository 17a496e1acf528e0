// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Synchronization
import TLSEngine

/// A client that calls the sample server all the time, until the gateway lets it go, on a thread of its own.
final class DrainingCaller: Sendable {
    /// What it calls.
    enum Work: Sendable {
        /// `sample.echo`, each time with another argument.
        case echo
        /// `sample.sleep`, so many milliseconds.
        case sleep(Int)
    }

    private struct State {
        var answered = 0
        var refused = 0
        /// How it ended; nil while it goes on.
        var end: String?
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    private let shared = Shared()

    /// Connects by the plain protocol, or with a session that outlives the connection, and calls.
    init(_ gateway: GatewayProcess, tls: TLSConfiguration, isPersistent: Bool, _ work: Work) throws {
        let shared = shared
        let port = gateway.port
        let plain = isPersistent ? nil : try TLSContext(tls)
        _ = Background {
            do {
                if let plain {
                    let stream = try BlockingStream(host: "127.0.0.1", port: port, tls: plain, serverName: "localhost")
                    let client = try BlockingClient(stream, context: "steady")
                    try client.waitUntilReady(milliseconds: 120_000)
                    try Self.call(work, shared) { try client.call("sample", $0, $1, milliseconds: 120_000) }
                } else {
                    let peer = try PersistentPeer(port: port, tls: tls)
                    try SessionStage.expectOK(try peer.connect(milliseconds: 120_000))
                    try peer.announce()
                    try peer.waitUntilReady(milliseconds: 120_000)
                    try Self.call(work, shared) { command, argument in
                        do {
                            return try peer.ask("sample", command, argument, milliseconds: 120_000)
                        } catch let error as TimedOut {
                            // Let go before the call was passed.
                            throw peer.refusal.map { TestSupportError("\($0.reason) (\($0.code.rawValue))") } ?? error
                        }
                    }
                }
            } catch {
                shared.state.withLock { $0.end = "\(error)" }
            }
        }
        try eventually("a call is under way") {
            if let end { throw TestSupportError("a call failed: \(end)") }
            return answered >= 1
        }
    }

    private static func call(
        _ work: Work,
        _ shared: Shared,
        _ call: (IPCString, IPCValue) throws -> IPCValue
    ) throws {
        while true {
            let number = IPCValue(shared.state.withLock { $0.answered })
            do {
                switch work {
                case .echo:
                    let answer = try call("echo", number)
                    guard answer == number else { throw TestSupportError("\(answer) came for \(number)") }
                case .sleep(let milliseconds):
                    let answer = try call("sleep", IPCValue(milliseconds))
                    guard answer == .undefined else { throw TestSupportError("\(answer) came for nothing") }
                }
            } catch let error as RemoteError where error.name == "Draining" {
                shared.state.withLock { $0.refused += 1 }
                continue
            }
            shared.state.withLock { $0.answered += 1 }
        }
    }

    /// How many calls have been answered with what they asked for.
    var answered: Int { shared.state.withLock { $0.answered } }
    /// How it ended; nil while it goes on.
    var end: String? { shared.state.withLock { $0.end } }

    /// Waits until it has been let go.
    func waitForEnd() throws -> String {
        try eventually("a caller is let go") { end != nil }
        return end ?? ""
    }
}
