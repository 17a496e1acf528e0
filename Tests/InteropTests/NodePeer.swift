// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Synchronization

/// A program of the folder `Node` that does what it is told: one JSON object a line in, and one out.
final class NodePeer: Sendable {
    private struct State {
        var nextID = 0
        var readCount = 0
        var partialLine: [UInt8] = []
        var answers: [Int: IPCValue] = [:]
    }

    let process: ChildProcess
    private let state = Mutex(State())

    init(_ script: String, _ arguments: [IPCValue]) throws {
        process = try Node.run(script, arguments.map { String(decoding: Self.json($0), as: UTF8.self) }, hasInput: true)
    }

    /// Waits until it has connected, or listens; returns what it says of itself.
    func waitUntilReady() async throws -> IPCValue {
        try await wait(for: "it is ready", id: 0)
    }

    /// Tells it to do something, and waits until it has.
    @discardableResult
    func ask(_ verb: IPCString, _ order: IPCObject = [:]) async throws -> IPCValue {
        let id = try tell(verb, order)
        let answer = try await wait(for: "\(verb)", id: id)
        if let problem = answer["problem"]?.string {
            throw TestSupportError("Node cannot \(verb): \(problem)")
        }
        return answer["result"] ?? .undefined
    }

    /// Tells it to do something.
    @discardableResult
    func tell(_ verb: IPCString, _ order: IPCObject = [:]) throws -> Int {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let head = [IPCObject.Member(key: "id", value: IPCValue(id)), .init(key: "verb", value: .string(verb))]
        try process.write(Self.json(.object(IPCObject(head + order.members))) + [UInt8(ascii: "\n")])
        return id
    }

    private func wait(for what: String, id: Int) async throws -> IPCValue {
        // With all arguments written out, or the compiler takes the one that blocks.
        try await eventually(
            "Node answers: \(what); it says \(process.errors)",
            within: .seconds(60),
            isolation: #isolation
        ) { try hasAnswered(what, id) }
        return state.withLock { $0.answers.removeValue(forKey: id) ?? .undefined }
    }

    private func hasAnswered(_ what: String, _ id: Int) throws -> Bool {
        // Asked before reading: what it has printed before its end counts.
        let hasEnded = process.status != nil
        let hasAnswered = try state.withLock { state in
            try read(&state)
            return state.answers[id] != nil
        }
        guard !hasAnswered, hasEnded else { return hasAnswered }
        throw TestSupportError("Node has ended before it answered: \(what); it says \(process.errors)")
    }

    private func read(_ state: inout State) throws {
        let bytes = process.outputBytes(from: state.readCount)
        guard !bytes.isEmpty else { return }
        state.readCount += bytes.count
        state.partialLine += bytes
        var lines = state.partialLine.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        state.partialLine = Array(lines.removeLast())
        for line in lines {
            let line = Array(line)
            let answer = try JSONText.parse(line.span, in: 0..<line.count)
            // What it says of itself at the beginning has no number.
            state.answers[Int(answer["id"]?.double ?? 0)] = answer
        }
    }

    private static func json(_ value: IPCValue) -> [UInt8] {
        JSONText.write(value) ?? []
    }
}

extension NodePeer {
    /// Lets it call a command, and waits for the outcome.
    func call(_ channel: IPCString, _ command: IPCString, _ argument: IPCValue = .undefined) async throws -> Outcome {
        Outcome(
            try await ask(
                "call",
                ["channel": .string(channel), "command": .string(command), "argument": argument.described]
            )
        )
    }

    /// Lets it start a call, which is called `name` from then on.
    func start(
        _ name: IPCString,
        _ channel: IPCString,
        _ command: IPCString,
        _ argument: IPCValue = .undefined
    ) async throws {
        try await ask(
            "start",
            [
                "name": .string(name), "channel": .string(channel), "command": .string(command),
                "argument": argument.described,
            ]
        )
    }

    func cancel(_ name: IPCString) async throws {
        try await ask("cancel", ["name": .string(name)])
    }

    /// Waits for the outcome of a call that was started.
    func finish(_ name: IPCString) async throws -> Outcome {
        Outcome(try await ask("finish", ["name": .string(name)]))
    }

    /// Lets it listen to an event, which is called `name` from then on; once more if it does already.
    func listen(
        _ name: IPCString,
        _ channel: IPCString,
        _ event: IPCString,
        _ argument: IPCValue = .undefined
    ) async throws {
        try await ask(
            "listen",
            [
                "name": .string(name), "channel": .string(channel), "event": .string(event),
                "argument": argument.described,
            ]
        )
    }

    /// Takes the newest listener from an event away.
    func unlisten(_ name: IPCString) async throws {
        try await ask("unlisten", ["name": .string(name)])
    }

    /// Waits until an event has fired so often; returns descriptions of all payloads.
    func payloads(_ name: IPCString, count: Int) async throws -> IPCValue {
        try await ask("payloads", ["name": .string(name), "count": IPCValue(count)])
    }

    /// What those who asked the channel `node` have left there.
    func seen(_ what: IPCString) async throws -> IPCValue? {
        try await ask("seen")[what]
    }
}

/// How a call ended in Node.
enum Outcome: Equatable {
    /// With a value, as it is described.
    case success(IPCValue)
    /// With a plain value, as it is described.
    case failureValue(IPCValue)
    /// With an Error.
    case failure(name: String?, message: String?, stack: String?)

    init(_ outcome: IPCValue) {
        switch outcome["kind"] {
        case "success": self = .success(outcome["value"] ?? .undefined)
        case "value": self = .failureValue(outcome["value"] ?? .undefined)
        default:
            self = .failure(
                name: outcome["name"]?.string,
                message: outcome["message"]?.string,
                stack: outcome["stack"]?.string
            )
        }
    }

    /// The outcome that is this value in JavaScript.
    static func value(_ value: IPCValue) -> Outcome {
        .success(value.described)
    }

    /// The name of the Error; nil for other outcomes.
    var errorName: String? {
        if case .failure(let name, _, _) = self { name } else { nil }
    }
}
