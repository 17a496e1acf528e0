// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
public import IPCProtocol
import Synchronization

/// A request of the conversation `raw-odd-requests`, which the real server takes as it comes, and our verdict on it. Each is
/// played on a connection of its own.
public struct OddRequest: Sendable, CustomStringConvertible {
    /// What happens.
    public enum Verdict: Sendable {
        /// As recorded: the same answer, or none; the connection goes on.
        case asRecorded
        /// No answer, for this reason; the connection goes on.
        case ignored(String)
        /// The connection is closed, for this reason.
        case closed(String)
    }

    /// Its name.
    public var description: String { name }

    /// What the recording calls it.
    public var name: String
    /// Requests that come before it on the same connection.
    public var before: [[UInt8]]
    /// The request.
    public var request: [UInt8]
    /// The recorded answer, if there was one.
    public var answer: [UInt8]?

    /// What the server does that reads strictly, and the one that reads as VS Code does. Those in neither are judged as
    /// recorded.
    public static let verdicts: [String: (strict: Verdict, lenient: Verdict)] = [
        "body missing altogether": (.closed("a message is two values"), .asRecorded),
        "extra header elements and extra values": (.closed("a header has the elements of its kind"), .asRecorded),
        "string id": (.closed("ids are integers"), .ignored("ids are integers from 0 to 2⁵³−1")),
        "negative id": (.closed("ids are not negative"), .ignored("ids are integers from 0 to 2⁵³−1")),
        "undefined id": (.closed("ids are integers"), .ignored("ids are integers from 0 to 2⁵³−1")),
        "two calls with the same id, first": (.closed("a message is two values"), .asRecorded),
        "two calls with the same id, second": (.closed("an open id is not used twice"), .closed("neither here")),
        "command is not a string": (.closed("names are strings"), .ignored("names are strings")),
        "unknown request type 99": (.closed("nobody knows the kind 99"), .asRecorded),
        "empty body": (.closed("a message is two values"), .asRecorded),
        "header is undefined": (.closed("a header is an array"), .asRecorded),
        "header is a number": (.closed("a header is an array"), .asRecorded),
        "header array is empty": (.closed("a header has a kind"), .asRecorded),
        "header JSON is broken": (.closed("a header is an array"), .asRecorded),
        "body JSON is broken": (.closed("a body can be read"), .asRecorded),
        "listen to an event the channel does not have": (.closed("a message is two values"), .asRecorded),
        "cancel of an unknown id": (.closed("a message is two values"), .asRecorded),
        "dispose of an unknown id": (.closed("a message is two values"), .asRecorded),
    ]

    /// All of them, in the order of the recording.
    public static func all() throws -> [OddRequest] {
        var requests: [OddRequest] = []
        var name = ""
        for step in try Vectors.conversation("raw-odd-requests").steps.dropFirst(3) {
            switch step {
            case .event("silent"): continue
            case .event(let prose) where prose.hasPrefix("server error handler saw"): continue
            case .event(let prose): name = prose
            case .frame(let frame) where frame.direction == .clientToServer:
                // The call that still runs when its id is used again, with the body that a strict reader wants.
                let isSecond = name == "two calls with the same id, second"
                let first = IPCMessage.call(id: 9, channel: "test", command: "never")
                requests.append(OddRequest(name: name, before: isSecond ? [first] : [], request: frame.body))
            case .frame(let frame):
                requests[requests.count - 1].answer = frame.body
            }
        }
        return requests
    }

    /// Plays it to a server.
    public func play(to mode: ValueDecoder.Mode, over makeEnds: Replay.MakeEnds) async throws {
        let reports = Mutex<[String]>([])
        var options = ConnectionOptions()
        options.decoding = mode
        options.report = { text in reports.withLock { $0.append(text) } }
        let ends = try await makeEnds()
        let application = ReplayServer(options: options)
        defer { application.shutDown() }
        application.server.accept(ends.tested)
        let peer = RawPeer(over: ends.peer)
        peer.send(IPCMessage.context("raw"))
        try await peer.expect(IPCMessage.initialize, name)
        for message in before { peer.send(message) }
        peer.send(request)
        let verdicts = Self.verdicts[name] ?? (.asRecorded, .asRecorded)
        switch mode == .strict ? verdicts.strict : verdicts.lenient {
        case .asRecorded:
            if let answer { try await peer.expect(answer, name) }
        case .ignored:
            try await eventually("\(name): it is reported") { reports.withLock { !$0.isEmpty } }
        case .closed:
            try await eventually("\(name): the server closes") { peer.end != nil }
            guard peer.received.count == 1 else {
                throw RawPeer.Mismatch(description: "\(name): answered and closed")
            }
            return
        }
        peer.send(IPCMessage.call(id: 14, channel: "test", command: "echo", argument: "alive"))
        try await peer.expect(IPCMessage.success(id: 14, result: "alive"), "\(name), at the end")
        peer.close()
    }
}
