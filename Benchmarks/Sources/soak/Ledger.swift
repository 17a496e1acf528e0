// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol

/// What one client has asked for and not been told yet: nothing may come that is not in it.
struct Ledger {
    private struct Call {
        var number: Int
        var size: Int
        var sentAt: UInt64
    }

    /// The channels of the two servers.
    static let channels: [IPCString] = ["sample", "jobs"]

    private(set) var figures = Figures()
    private var nextID: UInt64 = 0
    private var calls: [UInt64: Call] = [:]
    private var subscriptions: [UInt64: Int] = [:]

    /// The calls that have no answer.
    var openCount: Int { calls.count }

    /// A call whose answer says by itself to which it belongs.
    ///
    /// - Parameter size: How many bytes go there and back.
    mutating func call(channel: Int, size: Int) -> [UInt8] {
        let id = nextID
        nextID += 1
        figures.calls += 1
        let call = Call(number: figures.calls, size: size, sentAt: PersistentPeer.now)
        calls[id] = call
        return IPCMessage.call(
            id: id,
            channel: Self.channels[channel],
            command: "echo",
            argument: Self.argument(call)
        )
    }

    /// A subscription; its events are numbered from 0, and begin again when the server does.
    mutating func listen(channel: Int) -> [UInt8] {
        let id = nextID
        nextID += 1
        subscriptions[id] = -1
        return IPCMessage.listen(id: id, channel: Self.channels[channel], event: "onCall", argument: .undefined)
    }

    private static func argument(_ call: Call) -> IPCValue {
        let tail = UInt8(truncatingIfNeeded: call.number)
        return .array([IPCValue(call.number), .buffer([UInt8](repeating: tail, count: call.size))])
    }

    /// The connection is gone, and with it what was asked over it.
    mutating func forget() {
        figures.forgotten += calls.count
        calls = [:]
        subscriptions = [:]
        nextID = 0
    }

    /// Takes a message.
    ///
    /// - Throws: What is wrong with it.
    mutating func take(_ message: [UInt8]) throws {
        switch try IPCMessage.decode(message) {
        case .initialize: break
        case .success(let id, let result):
            let call = try close(id)
            guard result == Self.argument(call) else { throw TestSupportError("a wrong answer to call \(call.number)") }
            figures.answers += 1
        case .failure(let id, let error):
            let call = try close(id)
            guard let name = error["name"]?.string?.description, Self.statedErrors.contains(name) else {
                throw TestSupportError("call \(call.number) is answered with \(error)")
            }
            figures.errors[name, default: 0] += 1
        case .event(let id, let payload):
            guard let last = subscriptions[id] else { throw TestSupportError("an event of subscription \(id)") }
            guard case .int(let number) = payload, number == 0 || Int(number) == last + 1 else {
                throw TestSupportError("event \(payload) behind \(last)")
            }
            subscriptions[id] = Int(number)
            figures.events += 1
        case let other: throw TestSupportError("an unexpected \(other)")
        }
    }

    /// What the gateway says where a server is not there, or has too much to do.
    private static let statedErrors: Set = ["Busy", "UpstreamLost", "UpstreamUnavailable"]

    private mutating func close(_ id: UInt64) throws -> Call {
        guard let call = calls.removeValue(forKey: id) else {
            throw TestSupportError("an answer to call \(id), which is not open: it has had one, or was never made")
        }
        figures.longestPause = max(figures.longestPause, PersistentPeer.now - call.sentAt)
        return call
    }

    /// Changes the figures.
    mutating func count(_ change: (inout Figures) -> Void) { change(&figures) }
}
