// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import GatewayRuntime
import GatewayTestSupport
import Testing

@Suite("The audit log in trouble", .blocking)
struct AuditTroubleTests {
    /// A named pipe, and the end that is read.
    private static func pipe(_ bench: AuditBench) throws -> Int32 {
        try #require(mkfifo(bench.path, 0o600) == 0)
        let reader = open(bench.path, O_RDONLY | O_NONBLOCK)
        try #require(reader >= 0)
        return reader
    }

    /// Reads what is there into `bytes`.
    private static func read(_ reader: Int32, into bytes: inout [UInt8]) {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(reader, &chunk, chunk.count)
            guard count > 0 else { return }
            bytes += chunk[..<count]
        }
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("of a pipe that nobody reads drops what finds the queue full, counts it, and says so where it is missing")
    func fullPipe() throws {
        let bench = try AuditBench()
        let reader = try Self.pipe(bench)
        defer { close(reader) }
        let log = try bench.open(lines: 64)
        // A pipe takes 64 KiB.
        let start = ContinuousClock.now
        for number in 0..<1000 { log.write(AuditBench.line(number, padding: 1000)) }
        #expect(ContinuousClock.now - start < .seconds(10), "nobody waits")
        let dropped = log.droppedCount
        #expect(dropped > 700)
        #expect(log.waitingCount <= 65)
        try bench.messages.wait(for: "audit lines are dropped")
        var bytes: [UInt8] = []
        try eventually("everything is read") {
            Self.read(reader, into: &bytes)
            return log.waitingCount == 0
        }
        log.write(AuditBench.line(1000))
        try eventually("the last line is read") {
            Self.read(reader, into: &bytes)
            return Self.lines(bytes).last?.contains("1000") == true
        }
        let numbers = try AuditBench.numbers(Self.lines(bytes))
        #expect(numbers.count == 1001)
        #expect(numbers.count { $0 == -1 } == dropped)
        #expect(numbers.last == 1000)
        let written = numbers.filter { $0 >= 0 }
        #expect(written == written.sorted())
    }

    @Test("ends in time though nobody reads, and counts what was left")
    func closeWithoutReader() throws {
        let bench = try AuditBench()
        let reader = try Self.pipe(bench)
        defer { close(reader) }
        let log = try bench.open(lines: 1000)
        for number in 0..<500 { log.write(AuditBench.line(number, padding: 1000)) }
        try eventually("the pipe has its fill") {
            var event = pollfd(fd: reader, events: Int16(POLLIN), revents: 0)
            return poll(&event, 1, 0) > 0
        }
        let start = ContinuousClock.now
        log.close(within: .milliseconds(200))
        #expect(ContinuousClock.now - start < .seconds(10))
        try bench.messages.wait(for: "audit lines have been dropped")
        var bytes: [UInt8] = []
        Self.read(reader, into: &bytes)
        let whole = bytes.count { $0 == UInt8(ascii: "\n") }
        #expect(whole + log.droppedCount == 500)
        #expect(whole > 0)
        #expect(log.waitingCount == 0)
    }

    @Test("keeps lines for a disk that is full as long as there is room, and says so once")
    func fullDisk() throws {
        let bench = try AuditBench()
        let log = try bench.open(.file("/dev/full"), lines: 100)
        for number in 0..<50 { log.write(AuditBench.line(number)) }
        try bench.messages.wait(for: "/dev/full: No space left on device")
        #expect(log.droppedCount == 0)
        for number in 50..<200 { log.write(AuditBench.line(number)) }
        #expect(log.droppedCount == 100)
        #expect(log.waitingCount == 100)
        log.close(within: .seconds(30))
        #expect(log.droppedCount >= 200)
        #expect(log.waitingCount == 0)
        #expect(bench.messages.all.count { $0.contains("No space left") } == 1)
        #expect(bench.messages.all.contains { $0.contains("audit lines have been dropped") })
    }

    @Test("goes on in a new file when the disk was full, with everything that it kept")
    func anotherDisk() throws {
        let bench = try AuditBench()
        try FileManager.default.createSymbolicLink(atPath: bench.path, withDestinationPath: "/dev/full")
        let log = try bench.open()
        for number in 0..<500 { log.write(AuditBench.line(number)) }
        try bench.messages.wait(for: "No space left on device")
        try FileManager.default.removeItem(atPath: bench.path)
        log.reopen()
        try bench.messages.wait(for: "the audit log is written again")
        log.close(within: .seconds(30))
        #expect(log.droppedCount == 0)
        let numbers = try AuditBench.numbers(bench.lines())
        #expect(numbers.elementsEqual(0..<500))
    }

    @Test("sends each line to the system's log as a message, and finds it again after it was restarted")
    func syslog() throws {
        let bench = try AuditBench()
        let path = bench.directory.file("log")
        var server = try DatagramServer(path: path)
        let log = try bench.open(.syslog, syslogSocket: path)
        log.write(AuditBench.line(1))
        log.write(AuditBench.line(2))
        let first = try server.receive()
        let prefix = #/<86>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d ipc-gateway\[\d+\]: /#
        #expect(first.prefixMatch(of: prefix) != nil, "\(first)")
        #expect(first.hasSuffix(#"{"thread":0,"number":1,"text":""}"#))
        #expect(try server.receive().hasSuffix(#""number":2,"text":""}"#))
        server.stop()
        log.write(AuditBench.line(3))
        try bench.messages.wait(for: "cannot be written")
        server = try DatagramServer(path: path)
        #expect(try server.receive().contains(#""number":3"#))
        // Longer than any datagram.
        log.write(AuditBench.line(4, padding: 4 << 20))
        log.write(AuditBench.line(5))
        var last = ""
        try eventually("the line after it comes") {
            last = try server.receive()
            return last.contains(#""number":5"#)
        }
        #expect(log.droppedCount == 1)
        server.stop()
    }

    @Test("on standard output does not wait for who reads it, be it a pipe or a socket", arguments: [true, false])
    func slowReader(isPipe: Bool) throws {
        var ends: [Int32] = [-1, -1]
        let result = isPipe ? Glibc.pipe(&ends) : socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
        try #require(result == 0)
        defer { for end in ends { close(end) } }
        let bench = try AuditBench()
        let log = try bench.open(.standardOutput, lines: 2000, standardOutput: ends[1])
        for number in 0..<1500 { log.write(AuditBench.line(number, padding: 1000)) }
        log.reopen()
        try bench.messages.wait(for: "audit log reopened")
        #expect(log.droppedCount == 0)
        #expect(fcntl(ends[1], F_GETFL) & O_NONBLOCK == 0, "others may share it")
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var bytes: [UInt8] = []
        try eventually("everything is read") {
            Self.read(ends[0], into: &bytes)
            return log.waitingCount == 0
        }
        Self.read(ends[0], into: &bytes)
        let numbers = try AuditBench.numbers(Self.lines(bytes))
        #expect(numbers.elementsEqual(0..<1500))
        for number in 0..<1500 { log.write(AuditBench.line(number, padding: 1000)) }
        log.close(within: .milliseconds(100))
        try eventually("it ends") { log.waitingCount == 0 }
        #expect(log.droppedCount > 0)
    }

    @Test("on standard output stays apart from the log")
    func standardOutput() throws {
        let bench = try GatewayBench { $0.audit = "{ stdout: true }" }
        let client = try bench.open()
        client.disappear(reset: false)
        try bench.gateway.waitForClosings(1)
        #expect(try bench.gateway.stop() == 0)
        #expect(!bench.gateway.child.output.contains("connection closed"))
    }
}

/// What stands for the system's log.
private struct DatagramServer {
    private let descriptor: Int32
    private let path: String

    init(path: String) throws {
        self.path = path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
        }
        try #require(result == 0)
    }

    func receive() throws -> String {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        try #require(count > 0, "no message in ten seconds")
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    func stop() {
        close(descriptor)
        unlink(path)
    }
}
