// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Sockets that the service manager hands over", .blocking)
struct ActivationTests {
    @Test("are listened at, and are left as they were at the end")
    func both() throws {
        let stage = try ActivationStage(address: "systemd:tls", unix: "systemd:local")
        let path = stage.directory.file("local.sock")
        let tcp = try ListeningSocket.tcp()
        let activation = Activation(sockets: [("local", try .unix(path)), ("tls", tcp)])
        let gateway = try activation.start(stage.file)
        #expect(gateway.port == tcp.port)
        let client = TestClient(port: tcp.port, tls: try stage.tls())
        try stage.exchange(client, 0)
        let local = TestClient(unix: path)
        try stage.exchange(local, 1)
        for client in [client, local] { client.disappear(reset: false) }
        #expect(try gateway.stop() == 0)
        #expect(access(path, F_OK) == 0)
        // Still open, for the next.
        #expect(TestClient(port: tcp.port, tls: nil).ending == nil)
        #expect(TestClient(unix: path).ending == nil)
    }

    @Test("let one gateway take over from another: who waits in the queue is the next one's")
    func upgrade() throws {
        let stage = try ActivationStage(address: "systemd:tls")
        let tcp = try ListeningSocket.tcp()
        let activation = Activation(sockets: [("tls", tcp)])
        let first = try activation.start(stage.file)
        let old = TestClient(port: tcp.port, tls: try stage.tls())
        try stage.exchange(old, 0)
        old.send(Sample.call(1))
        let server = try stage.upstream.connection(0)
        try eventually("the server is called") { server.received.suffix(Sample.call(1).count) == Sample.call(1)[...] }
        first.child.signal(SIGTERM)
        try first.waitForLog("that it stops") { $0["message"] == "stopping" }
        // Nobody accepts it yet.
        let tls = try stage.tls()
        let waiting = Background {
            let client = TestClient(port: tcp.port, tls: tls)
            try stage.exchange(client, 1)
            return client.ending == nil
        }
        let second = try activation.start(stage.file)
        #expect(try waiting.value(within: .seconds(60)))
        try server.send(Sample.answer(1))
        try old.receiveToEnd()
        #expect(old.errorCode == "draining")
        #expect(old.frames.dropLast().last?.encoded() == Sample.answer(1))
        old.disappear(reset: false)
        #expect(try first.child.wait() == 0)
        #expect(try second.stop() == 0)
    }

    /// What is handed over, and what is said of it.
    enum Mistake: String, CaseIterable, Sendable {
        case nothing, otherName, leftOver, twoOfOneName, notListening, datagram, unixForTCP, tcpForUnix

        fileprivate func sockets(_ stage: ActivationStage) throws -> [(name: String, socket: ListeningSocket)] {
            let path = stage.directory.file("s.sock")
            return switch self {
            case .nothing: []
            case .otherName: [("other", try .tcp())]
            case .leftOver: [("tls", try .tcp()), ("spare", try .tcp())]
            case .twoOfOneName: [("tls", try .tcp()), ("tls", try .tcp())]
            case .notListening: [("tls", try .tcp(listens: false))]
            case .datagram: [("tls", try .unix(path, SOCK_DGRAM))]
            case .unixForTCP: [("tls", try .unix(path))]
            case .tcpForUnix: [("tls", try .tcp()), ("local", try .tcp())]
            }
        }

        fileprivate var message: String {
            switch self {
            case .nothing: "systemd:tls: no sockets were handed over"
            case .otherName: "systemd:tls: no socket of this name was handed over, only 'other'"
            case .leftOver: "the socket 'spare', which no listener takes"
            case .twoOfOneName: "systemd:tls: 2 sockets have the name"
            case .notListening: "systemd:tls: the socket does not listen"
            case .datagram: "systemd:tls: descriptor 3 is no stream socket"
            case .unixForTCP: "write 'unix: systemd:tls', without 'tls'"
            case .tcpForUnix: "write 'address: systemd:local', with 'tls'"
            }
        }
    }

    @Test("have to be those that the configuration names", arguments: Mistake.allCases)
    func mistakes(mistake: Mistake) throws {
        let stage = try ActivationStage(address: "systemd:tls", unix: mistake == .tcpForUnix ? "systemd:local" : nil)
        let failure = try Activation(sockets: try mistake.sockets(stage)).failure(stage.file)
        #expect(failure.status == 69)
        #expect(failure.errors.contains(mistake.message), "\(failure.errors)")
    }

    @Test("that are another process's are not taken")
    func otherProcess() throws {
        let stage = try ActivationStage(address: "systemd:tls")
        let tcp = try ListeningSocket.tcp()
        let child = try ChildProcess(
            try GatewayProcess.command(stage.file),
            environment: ["LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "tls"],
            descriptors: [tcp.descriptor]
        )
        #expect(try child.wait() == 69)
        #expect(child.errors.contains("no sockets were handed over"), "\(child.errors)")
    }

    @Test("are those of systemd-socket-activate, too")
    func socketActivate() throws {
        let tool = "/usr/bin/systemd-socket-activate"
        guard access(tool, X_OK) == 0 else {
            print("not tried: \(tool) is not there (Debian: apt-get install systemd)")
            return
        }
        let stage = try ActivationStage(address: "systemd:tls", unix: "systemd:local")
        let path = stage.directory.file("local.sock")
        let port = try ListeningSocket.tcp().port
        // It passes on only what it is told to.
        let variables = ProcessInfo.processInfo.environment
        var words = [tool, "-l", "127.0.0.1:\(port)", "-l", path, "--fdname=tls:local"]
        for name in ["ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"] where variables[name] != nil {
            words += ["-E", name]
        }
        words += try GatewayProcess.command(stage.file)
        let child = try ChildProcess(words + ["--log-format", "json"])
        // It starts the program for the first who connects.
        // The file is there a moment before anybody listens.
        try eventually("it listens: \(child.errors)") {
            let sockets = try String(contentsOfFile: "/proc/net/unix", encoding: .utf8).split(separator: "\n")
            return sockets.contains { $0.hasSuffix(" \(path)") && $0.contains(" 00010000 ") }
        }
        let local = TestClient(unix: path)
        try stage.exchange(local, 0)
        let client = TestClient(port: port, tls: try stage.tls())
        try stage.exchange(client, 1)
        for client in [client, local] { client.disappear(reset: false) }
        child.signal(SIGTERM)
        #expect(try child.wait() == 0)
        #expect(access(path, F_OK) == 0)
    }
}
