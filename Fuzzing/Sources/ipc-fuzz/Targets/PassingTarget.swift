// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

@testable import GatewayCore

/// What the gateway passes, an independent strict reader reads, and reads the same way; what that reader would not read
/// does not pass; and what it would read is not refused as malformed.
struct PassingTarget {
    private static let wire = IPCLimits(frameBytes: 2_000, valueDepth: 20, valueElements: 200, jsonDepth: 24)

    private var session: GatewaySession
    private let upstreamCount: Int
    private var now: UInt64 = 1_000_000_000

    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        var stage = PassingTarget(reader.byte())
        for _ in 0..<60 where !reader.isAtEnd {
            guard stage.step(&reader) else { return }
        }
    }

    private init(_ choice: Int) {
        guard let any = Glob("*"), let other = Glob("o*"), let refused = Glob("no") else { fatalError("patterns") }
        let whenLost: GatewayConfiguration.Upstream.Loss = choice & 2 == 0 ? .redial : .close
        var upstreams = [GatewayConfiguration.Upstream(name: "main", unix: "m.sock", whenLost: whenLost)]
        if choice & 1 != 0 {
            upstreams.append(
                GatewayConfiguration.Upstream(name: "other", unix: "o.sock", channels: [other], whenLost: whenLost)
            )
        }
        let rules = [
            AccessPolicy.Rule(channel: any, call: [any], listen: [any]),
            AccessPolicy.Rule(.deny, channel: any, call: [refused]),
            AccessPolicy.Rule(.allow, .fromServer, channel: any, call: [any], listen: [any]),
        ]
        var limits = GatewayLimits()
        limits.wire = Self.wire
        let terms = SessionTerms(
            resolution: .init(entry: 0, grant: .assigned("c"), field: .commonName, value: "a"),
            policy: AccessPolicy(rules: rules),
            upstreams: upstreams,
            limits: limits
        )
        upstreamCount = upstreams.count
        session = GatewaySession(terms)
        let context = Frame.regular(IPCMessage.context("c")).encoded()
        _ = client(context)
        for upstream in upstreams.indices {
            _ = session.openUpstream(upstream)
            _ = server(GatewaySession.initialize, upstream)
        }
    }

    /// One frame, or a while without one; false when the connection has ended.
    private mutating func step(_ input: inout InputReader) -> Bool {
        let choice = input.byte()
        if choice == 255 {
            now += 1_000_000_000
            session.expire(at: now).forEach(check)
            return true
        }
        let message = choice & 4 == 0 ? request(&input) : input.take(input.byte() << 8 | input.byte())
        var frame = Frame.regular(message).encoded()
        if choice & 0xf8 == 0xf0 {
            frame = Frame(type: FrameType(rawValue: UInt8(choice & 3)), id: input.number() & 1, body: message).encoded()
        }
        return choice & 1 == 0 ? client(frame) : server(frame, choice >> 1 & 1 % upstreamCount)
    }

    /// A message that fits, nearly: small numbers, so that answers meet requests.
    private func request(_ input: inout InputReader) -> [UInt8] {
        let kinds: [UInt8] = [100, 101, 102, 103, 201, 202, 203, 204]
        let choice = input.byte()
        let kind = kinds[choice & 7]
        let isRequest = kind == 100 || kind == 102
        var message: [UInt8] = [4, isRequest ? 4 : 2, 6]
        message += kind < 128 ? [kind] : [kind & 0x7f | 0x80, 1]
        message += [6, UInt8(choice >> 3 & 3)]
        if isRequest {
            for name in [input.take(choice >> 5 & 1 + 1), input.take(1)] {
                message += [1, UInt8(name.count)] + name
            }
        }
        let body = input.piece()
        return message + (body.isEmpty ? [0] : body)
    }

    private mutating func client(_ frame: [UInt8]) -> Bool {
        let step = session.receivedFromClient(frame.span, at: now)
        var action = step.action
        // The defect: nobody looks how a number is written.
        if Target.isSpoiled, case .close(let reason) = action, reason.code.rawValue == "non-canonical-length" {
            action = .forward(to: 0)
        }
        switch action {
        case .forward(let upstream):
            require(upstream < upstreamCount, "the server is there")
            passed(frame)
        case .replace(let bytes, _): replaced(frame, bytes)
        case .deny(let answer, _): check(answer)
        case .close(let reason):
            require(reason.code == .duplicateID || read(frame) == nil, "what is well-formed is not refused: \(reason)")
            return false
        case .wait: fatalError("does not hold: a whole frame is judged")
        case .swallow, .accept: break
        }
        return true
    }

    private mutating func server(_ frame: [UInt8], _ upstream: Int) -> Bool {
        switch session.receivedFromServer(frame.span, upstream, at: now).action {
        case .forward: passed(frame)
        case .replace(let bytes): replaced(frame, bytes)
        case .deny(let answer, _): check(answer)
        case .close: return false
        case .wait: fatalError("does not hold: a whole frame is judged")
        case .swallow: break
        }
        return true
    }

    /// The message of a plain frame, for a reader that shares nothing with the gateway's.
    private func read(_ frame: [UInt8]) -> StrictMessage? {
        guard frame.count >= 13, frame[0] == 1, frame[1..<9].allSatisfy({ $0 == 0 }) else { return nil }
        let length = frame[9..<13].reduce(0) { $0 << 8 | Int($1) }
        guard length == frame.count - 13, length <= Self.wire.frameBytes else { return nil }
        return StrictMessage(Array(frame[13...]), limits: Self.wire)
    }

    private func passed(_ frame: [UInt8]) {
        guard let message = read(frame) else { fatalError("does not hold: what passes is read: \(frame)") }
        let body = Array(frame[13...])
        guard let decoded = try? DecodedMessage(body.span, limits: Self.wire) else {
            fatalError("does not hold: what passes is read by the library")
        }
        require(message.equals(decoded), "it is read the same way: \(message), \(decoded)")
    }

    /// Only ids change, and stacks of errors go.
    private func replaced(_ frame: [UInt8], _ bytes: [UInt8]) {
        passed(bytes)
        guard let before = read(frame), var after = read(bytes) else {
            fatalError("does not hold: what is replaced was well-formed")
        }
        after.id = before.id
        if before.kind == 202, case .object(var members) = before.body, case .object(let left) = after.body {
            require(left[Array("stack".utf8)] == nil || left == members, "a stack does not pass in part")
            members[Array("stack".utf8)] = nil
            // A number that no double holds is written as null, which is what JavaScript does.
            if left.keys.count == members.keys.count { after.body = before.body }
        }
        require(after == before, "only ids change: \(before), \(after)")
    }

    private func check(_ task: GatewaySession.Task) {
        switch task {
        case .tellClient(let frames): check(frames)
        case .tellServer(_, let frames): check(frames)
        case .dial: break
        }
    }

    /// What the gateway itself says.
    private func check(_ frames: [UInt8]) {
        var decoder = FrameDecoder()
        decoder.append(frames.span)
        while let frame = try? decoder.next() { passed(frame.encoded()) }
        require(decoder.bufferedByteCount == 0, "what the gateway says are frames")
    }
}
