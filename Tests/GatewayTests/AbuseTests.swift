// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import IPCProtocol
import TLSEngine
import Testing

@Suite("Against abuse the gateway", .blocking)
struct AbuseTests {
    private static func frame(_ message: [UInt8]) -> [UInt8] {
        Frame.regular(message).encoded()
    }

    private static func call(id: UInt64, _ argument: IPCValue = .undefined) -> [UInt8] {
        frame(IPCMessage.call(id: id, channel: "test", command: "echo", argument: argument))
    }

    // MARK: Slowness

    /// How far a client goes before it stops.
    enum Phase: String, CaseIterable, Sendable {
        case connected, helloBegun, handshaken, contextHeaderBegun, contextBegun, headerBegun, bodyBegun

        var reason: String {
            switch self {
            case .connected, .helloBegun: "handshake-timeout"
            case .handshaken, .contextHeaderBegun, .contextBegun: "context-timeout"
            case .headerBegun, .bodyBegun: "frame-timeout"
            }
        }
    }

    @Test(
        "closes a client that stops in the middle of something, and serves others meanwhile",
        arguments: Phase.allCases
    )
    func slowLoris(phase: Phase) throws {
        let bench = try GatewayBench { $0.timeouts = ["handshake": "400ms", "context": "400ms", "frame": "400ms"] }
        let context = Self.frame(IPCMessage.context("x"))
        switch phase {
        case .connected, .helloBegun:
            let stream = try BlockingStream(host: "127.0.0.1", port: bench.gateway.port)
            if phase == .helloBegun { try stream.send([0x16, 3, 1, 2, 0, 1, 0, 1]) }
            #expect(try stream.receive(milliseconds: patient(5_000)) == .end(inOrder: true))
        default:
            let client = try bench.connect()
            switch phase {
            case .handshaken: break
            case .contextHeaderBegun: client.send(Array(context[..<5]))
            case .contextBegun: client.send(Array(context[..<14]))
            case .headerBegun, .bodyBegun:
                client.open()
                client.send(Array(Self.call(id: 0)[..<(phase == .headerBegun ? 7 : 20)]))
            case .connected, .helloBegun: break
            }
            let polite = try bench.open()
            #expect(try client.receiveToEnd() == .inOrder)
            #expect(client.errorCode == "limit")
            #expect(polite.ending == nil)
            polite.send(Self.call(id: 1))
            _ = try bench.recording().connection()
        }
        try bench.gateway.waitForLog("the reason") { $0["reason"] == phase.reason }
    }

    @Test("closes a silent client when there is a deadline for that, and leaves it alone otherwise")
    func idle() throws {
        let strict = try GatewayBench { $0.timeouts = ["idle": "300ms"] }
        let lenient = try GatewayBench()
        let stays = try lenient.open()
        let goes = try strict.open()
        #expect(try goes.receiveToEnd() == .inOrder)
        #expect(try strict.gateway.waitForClosings(1)["reason"] == "idle-timeout")
        #expect(!stays.receiveSome(milliseconds: 300))
    }

    @Test("counts a newcomer's deadlines from its arrival, however long nothing has happened before")
    func deadlinesAfterSilence() throws {
        let bench = try GatewayBench { $0.timeouts = ["handshake": "500ms", "context": "500ms", "drain": "500ms"] }
        let first = try bench.open()
        // A quiet second on every thread.
        #expect(!first.receiveSome(milliseconds: 1_000))
        let late = try bench.open()
        late.finishSending()
        #expect(try late.receiveToEnd() == .inOrder)
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "finished")
    }

    // MARK: Numbers

    @Test("lets those who hold a place without showing who they are make room")
    func newcomers() throws {
        let bench = try GatewayBench {
            $0.limits = ["newcomers": "8"]
            $0.threads = 1
        }
        let before = try bench.open()
        let idlers = try (0..<8).map { _ in try BlockingStream(host: "127.0.0.1", port: bench.gateway.port) }
        let client = try bench.open()
        #expect(client.ending == nil)
        #expect(before.ending == nil)
        try bench.gateway.waitForLog("who made room") { $0["reason"] == "newcomer-limit" }
        #expect(try idlers[0].receive(milliseconds: patient(5_000)) == .end(inOrder: true))
    }

    @Test("refuses clients beyond the limit and takes new ones when others have gone")
    func clientLimit() throws {
        let bench = try GatewayBench { $0.limits = ["clients": "2"] }
        let first = try bench.open()
        let second = try bench.open()
        let third = try bench.connect()
        third.open()
        #expect(try third.receiveToEnd() == .inOrder)
        #expect(third.errorCode == "limit")
        #expect(try bench.gateway.waitForClosings(1)["reason"] == "client-limit")
        first.finishSending()
        _ = try first.receiveToEnd()
        try bench.gateway.waitForClosings(2)
        #expect(try bench.open().ending == nil)
        #expect(second.ending == nil)
    }

    @Test("bounds the bytes of incomplete frames over all connections")
    func incompleteBytes() throws {
        let bench = try GatewayBench { $0.limits = ["incompleteBytes": "300KiB"] }
        let payload = IPCValue.buffer([UInt8](repeating: 7, count: 400 << 10))
        let frame = Self.call(id: 0, payload)
        let first = try bench.open()
        first.send(Array(frame[..<(200 << 10)]))
        let second = try bench.open()
        second.send(Array(frame[..<(200 << 10)]))
        let third = try bench.open()
        third.send(Array(frame[..<(200 << 10)]))
        // One of them, at least, is one too many; a small call passes all the same.
        let reason = try bench.gateway.waitForClosings(1)["reason"]
        #expect(reason == "incomplete-limit")
        let small = try bench.open()
        small.send(Self.call(id: 5))
        let upstream = try bench.recording()
        try eventually("the small call arrives") { upstream.connections.contains { $0.received.count > 60 } }
        for connection in upstream.connections {
            #expect(connection.received.count < 1000, "nothing of an incomplete frame is passed")
        }
    }

    // MARK: Crowds

    @Test("leaves nothing behind after a hundred thousand connections that come and go")
    func churn() throws {
        let bench = try GatewayBench(logLevel: "info")
        let gateway = bench.gateway
        let descriptors = try gateway.descriptorCount()
        try ConnectionChurn.run(port: gateway.port, count: 20_000)
        try eventually("every descriptor is back", within: .seconds(30)) {
            try gateway.descriptorCount() == descriptors
        }
        let memory = try gateway.residentBytes()
        try ConnectionChurn.run(port: gateway.port, count: 80_000)
        try eventually("every descriptor is back", within: .seconds(30)) {
            try gateway.descriptorCount() == descriptors
        }
        let growth = try gateway.residentBytes() - memory
        // The allocator's holes are some megabytes, seen up to five. The least that a connection could leave is more than
        // the 200 bytes that this allows each: its link alone is larger, and its TLS session a hundred times.
        #expect(growth < 80_000 * 200, "grew by \(growth) bytes")
        #expect(try bench.open().ending == nil)
    }

    @Test("uses no processor time for a thousand clients that are silent")
    func idleCosts() throws {
        // A thousand handshakes at once may take longer than one is given otherwise.
        let bench = try GatewayBench { $0.timeouts = ["handshake": "2m", "context": "2m"] }
        let swarm = ClientSwarm(port: bench.gateway.port, tls: try TLSContext(bench.tls(try bench.alice())))
        try swarm.join(1000)
        // Memory is given back about a second after the crowd has come; then everything has been done.
        let quiet = try bench.open()
        #expect(!quiet.receiveSome(milliseconds: 11_000))
        let before = try bench.gateway.usage()
        #expect(!quiet.receiveSome(milliseconds: 3_000))
        let after = try bench.gateway.usage()
        #expect(after.contextSwitches == before.contextSwitches)
        #expect(after.processorTicks == before.processorTicks)
        #expect(swarm.readyCount == 1000)
    }
}

/// Connections that come and go as fast as they can, half of them with a reset, some with bytes that are not TLS.
enum ConnectionChurn {
    static func run(port: UInt16, count: Int) throws {
        for index in 0..<count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            // A source address of its own for every few thousand, so that the system does not run out of ports.
            try call("bind", address(host: 0x7f00_0002 + UInt32(index / 8_000 % 200), port: 0)) {
                bind(descriptor, $0, $1)
            }
            try call("connect", address(host: 0x7f00_0001, port: port)) { connect(descriptor, $0, $1) }
            if index % 50 == 0 { _ = send(descriptor, "hello?", 6, Int32(bitPattern: UInt32(MSG_NOSIGNAL))) }
            if index % 2 == 0 {
                var reset = linger(l_onoff: 1, l_linger: 0)
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
            }
        }
    }

    private static func address(host: UInt32, port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        return address
    }

    private static func call(
        _ what: String,
        _ address: sockaddr_in,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws {
        var address = address
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw TestSupportError("\(what): \(String(cString: strerror(errno)))") }
    }
}
