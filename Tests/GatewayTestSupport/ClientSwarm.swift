// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import IPC
import IPCProtocol
public import TLSEngine

/// Many clients on one thread, each with a TLS connection of its own: what a gateway sees on a busy day.
///
/// Not `Sendable`: it belongs to the thread that uses it.
public final class ClientSwarm {
    private var members: [SwarmMember] = []
    private let port: UInt16
    private let tls: TLSContext

    /// Makes a swarm without clients.
    public init(port: UInt16, tls: TLSContext) {
        self.port = port
        self.tls = tls
    }

    deinit {
        self.leave()
    }

    /// Clients that are there and have been told that requests may be sent.
    public var readyCount: Int { self.members.count(where: \.isReady) }
    /// Clients whose connection has ended, or was refused.
    public var endedCount: Int { self.members.count(where: \.hasEnded) }
    /// Calls whose answer was the right one.
    public var rightAnswerCount: Int { self.members.reduce(0) { $0 + $1.rightAnswerCount } }
    /// Calls whose answer was another.
    public var wrongAnswerCount: Int { self.members.reduce(0) { $0 + $1.wrongAnswerCount } }
    /// How long each call took, in nanoseconds.
    public var latencies: [UInt64] { self.members.flatMap(\.latencies) }

    /// Connects more clients and waits until all are ready.
    public func join(_ count: Int, within limit: Duration = .seconds(120)) throws {
        let first = self.members.count
        for index in first..<first + count {
            self.members.append(try SwarmMember(number: index, port: self.port, tls: self.tls))
        }
        try self.run("all \(self.members.count) clients are ready", within: limit) { $0.isReady || $0.hasEnded }
    }

    /// Lets every client make `count` calls, one after the other, of `sample.echo`, and checks every answer.
    public func call(_ count: Int, within limit: Duration = .seconds(120)) throws {
        for member in self.members { member.call(count) }
        try self.run("every call has been answered", within: limit) { $0.hasAllAnswers || $0.hasEnded }
    }

    /// Closes all connections in order.
    public func leave() {
        for member in self.members { member.leave() }
        self.members = []
    }

    /// Serves all clients until each is done.
    private func run(_ what: String, within limit: Duration, until isDone: (SwarmMember) -> Bool) throws {
        let deadline = ContinuousClock.now + limit * patience
        var waiting = self.members
        while true {
            waiting.removeAll(where: isDone)
            guard !waiting.isEmpty else { return }
            guard ContinuousClock.now < deadline else {
                throw TestSupportError("not in time: \(what); \(waiting.count) are missing")
            }
            var polls = waiting.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            guard poll(&polls, nfds_t(polls.count), 100) > 0 else { continue }
            for (member, poll) in zip(waiting, polls) where poll.revents != 0 {
                member.receive()
            }
        }
    }
}

/// One client of a swarm.
private final class SwarmMember {
    let descriptor: Int32
    private(set) var hasEnded = false
    private(set) var rightAnswerCount = 0
    private(set) var wrongAnswerCount = 0
    private(set) var latencies: [UInt64] = []

    private let number: Int
    private let session: TLSSession
    private let output = TLSOutput()
    private var decoder = FrameDecoder()
    private var requester = ChannelRequester()
    private var hasOpened = false
    private var callsToMake = 0
    private var expected: (id: UInt64, answer: IPCValue, sentAt: UInt64)?

    init(number: Int, port: UInt16, tls: TLSContext) throws {
        self.number = number
        self.session = try TLSSession(context: tls, output: self.output, serverName: "localhost")
        self.descriptor = try Self.connect(port)
        self.step()
    }

    deinit {
        close(self.descriptor)
    }

    var isReady: Bool { self.requester.isReady }
    var hasAllAnswers: Bool { self.expected == nil && self.callsToMake == 0 }

    private static func connect(_ port: UInt16) throws -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard descriptor >= 0, result == 0 else {
            throw TestSupportError("cannot connect to port \(port): \(String(cString: strerror(errno)))")
        }
        return descriptor
    }

    /// Ends the connection; the socket closes with the object.
    func leave() {
        guard !self.hasEnded else { return }
        self.session.sendCloseNotify()
        self.flush()
        shutdown(self.descriptor, Int32(SHUT_WR))
        self.hasEnded = true
    }

    func call(_ count: Int) {
        self.callsToMake += count
        self.makeNextCall()
    }

    private func makeNextCall() {
        guard self.expected == nil, self.callsToMake > 0, !self.hasEnded else { return }
        self.callsToMake -= 1
        let argument: IPCValue = [IPCValue(self.number), IPCValue(self.callsToMake), "payload"]
        let request = self.requester.call("sample", "echo", argument)
        self.expected = (request.id, argument, Self.now())
        if let message = request.message { self.send(Frame.regular(message).encoded()) }
    }

    func receive() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 64)
        defer { buffer.deallocate() }
        let count = recv(self.descriptor, buffer.baseAddress, buffer.count, 0)
        guard count > 0 else {
            self.hasEnded = true
            return
        }
        self.session.withInput(UnsafeRawBufferPointer(rebasing: buffer[..<count])) { self.step() }
    }

    private func step() {
        defer { self.flush() }
        do {
            if !self.hasOpened {
                guard try self.session.handshake() == .complete else { return }
                self.hasOpened = true
                self.send(ConnectionOpening.client(context: "swarm"))
            }
            var plaintext = [UInt8](repeating: 0, count: 32 << 10)
            while true {
                switch try plaintext.withUnsafeMutableBytes({ try self.session.read(into: $0) }) {
                case .bytes(let count): self.decoder.append(plaintext.span.extracting(0..<count))
                case .closed: self.hasEnded = true
                case .needsInput: return try self.takeFrames()
                }
                if self.hasEnded { return }
            }
        } catch {
            self.hasEnded = true
        }
    }

    private func takeFrames() throws {
        while let frame = try self.decoder.next() {
            guard frame.type == .regular else { continue }
            guard case .answered(let id, let outcome) = self.requester.receive(try IPCMessage.decode(frame.body)) else {
                continue
            }
            if let expected, expected.id == id, outcome == .success(expected.answer) {
                self.rightAnswerCount += 1
                self.latencies.append(Self.now() - expected.sentAt)
            } else {
                self.wrongAnswerCount += 1
            }
            self.expected = nil
            self.makeNextCall()
        }
    }

    private func send(_ bytes: [UInt8]) {
        do {
            try bytes.withUnsafeBytes { try self.session.write($0) }
        } catch {
            self.hasEnded = true
        }
        self.flush()
    }

    private func flush() {
        while !self.output.isEmpty {
            let sent = self.output.withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, Int32(bitPattern: UInt32(MSG_NOSIGNAL)))
            }
            guard sent > 0 else {
                self.hasEnded = true
                return self.output.consume(self.output.count)
            }
            self.output.consume(sent)
        }
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
