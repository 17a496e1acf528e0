// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import IPC
internal import IPCProtocol

/// The server's side of one connection.
final class SampleConnection {
    private static let tickMilliseconds: Int32 = 100

    private let stream: BlockingStream
    private let storage: SampleStorage
    private var decoder = FrameDecoder()
    private var opening = ServerOpening()
    private var responder = ChannelResponder()
    private var context = IPCValue.undefined
    private var tickListeners: Set<UInt64> = []
    private var changeListeners: Set<UInt64> = []
    private var tick = 0

    init(stream: BlockingStream, storage: SampleStorage) {
        self.stream = stream
        self.storage = storage
    }

    /// Answers until the client leaves.
    func serve() throws {
        var nextTick = Self.milliseconds() + Int(Self.tickMilliseconds)
        while true {
            let wait = tickListeners.isEmpty ? -1 : Int32(max(0, nextTick - Self.milliseconds()))
            switch try stream.receive(milliseconds: wait) {
            case .end:
                return
            case .nothing:
                break
            case .bytes(let bytes):
                decoder.append(bytes.span)
                while let frame = try decoder.next() {
                    if frame.type == .regular { try received(frame.body) }
                }
            }
            if Self.milliseconds() >= nextTick {
                nextTick = Self.milliseconds() + Int(Self.tickMilliseconds)
                tick += 1
                for id in tickListeners.sorted() { try send(responder.fire(id, payload: IPCValue(tick))) }
            }
        }
    }

    private static func milliseconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    private func send(_ message: [UInt8]?) throws {
        if let message { try stream.send(Frame.regular(message).encoded()) }
    }

    private func received(_ message: [UInt8]) throws {
        switch try opening.receive(message.span) {
        case .context(let context):
            self.context = context
            try stream.send(ConnectionOpening.server)
        case .message(let message):
            try perform(responder.receive(message))
        }
    }

    private func perform(_ action: ChannelResponder.Action) throws {
        switch action {
        case .call(let id, let channel, let command, let argument):
            try call(id, channel, command, argument)
        case .listen(let id, let channel, let event, _):
            switch (channel, event) {
            case ("sample", "onTick"): tickListeners.insert(id)
            case ("storage", "onDidChange"): changeListeners.insert(id)
            default: break  // The protocol has no answer for an event nobody knows.
            }
        case .unlisten(let id):
            tickListeners.remove(id)
            changeListeners.remove(id)
        case .cancel, .ignore:
            break  // Every call has been answered by the time a cancel arrives.
        case .duplicateID(let id):
            throw SampleError("the client used the id \(id) twice")
        }
    }

    private func call(_ id: UInt64, _ channel: IPCString, _ command: IPCString, _ argument: IPCValue) throws {
        switch (channel, command) {
        case ("sample", "echo"):
            try send(responder.succeed(id, with: argument))
        case ("sample", "add"):
            let sum = (argument.array ?? []).compactMap(\.double).reduce(0, +)
            try send(responder.succeed(id, with: IPCValue(sum)))
        case ("sample", "whoami"):
            try send(responder.succeed(id, with: context))
        case ("storage", "get"):
            guard case .string(let key) = argument else { return try refuse(id, "get takes a key, a string") }
            try send(responder.succeed(id, with: storage[key]))
        case ("storage", "set"):
            guard case .array(let pair) = argument, pair.count == 2, case .string(let key) = pair[0] else {
                return try refuse(id, "set takes [key, value]")
            }
            storage[key] = pair[1]
            try send(responder.succeed(id))
            for listener in changeListeners.sorted() { try send(responder.fire(listener, payload: pair[0])) }
        case ("storage", "drop"):
            storage.removeAll()
            try send(responder.succeed(id))
        default:
            try refuse(id, "there is no \(channel).\(command)")
        }
    }

    private func refuse(_ id: UInt64, _ message: String) throws {
        try send(responder.fail(id, name: "Error", message: message))
    }
}
