// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("What a service manager is told", .blocking)
struct ServiceManagerTests {
    /// Starts a second gateway by the configuration of a bench whose own one has ended.
    private static func start(
        _ bench: GatewayBench,
        _ receiver: NotificationReceiver,
        _ environment: [String: String] = [:]
    ) throws -> GatewayProcess {
        try GatewayProcess(
            configurationFile: bench.configurationFile,
            environment: environment.merging(["NOTIFY_SOCKET": receiver.name]) { $1 }
        )
    }

    private static func stoppedBench() throws -> GatewayBench {
        let bench = try GatewayBench(isEager: true) { $0.threads = 2 }
        bench.gateway.kill()
        try bench.gateway.child.wait()
        return bench
    }

    @Test("is that the gateway is ready, reloads, is ready again, and stops", arguments: ["path", "abstract"])
    func life(kind: String) throws {
        let bench = try Self.stoppedBench()
        let path = bench.directory.file("notify.sock")
        let receiver = try NotificationReceiver(
            kind == "path" ? path : "@ipcg-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        )
        let gateway = try Self.start(bench, receiver)
        try receiver.wait(for: "READY=1")
        #expect(receiver.messages.count == 1)
        #expect(receiver.messages.first == "READY=1\nSTATUS=Serving, configuration 1")
        #expect(TestClient(port: gateway.port, tls: nil).ending == nil)
        gateway.child.signal(SIGHUP)
        try receiver.wait(for: "READY=1", count: 2)
        #expect(receiver.messages.count == 3)
        let reloading = receiver.messages[1].split(separator: "\n").map(String.init)
        #expect(reloading.first == "RELOADING=1")
        let since = reloading.first { $0.hasPrefix("MONOTONIC_USEC=") }?.split(separator: "=").last.flatMap {
            UInt64($0)
        }
        let age = PersistentPeer.now / 1000 - (since ?? 0)
        #expect(age < 600_000_000)
        #expect(receiver.messages[2] == "READY=1\nSTATUS=Serving, configuration 2")
        #expect(try gateway.stop() == 0)
        #expect(receiver.messages.count == 4)
        #expect(receiver.messages.last?.hasPrefix("STOPPING=1\nSTATUS=") == true)
    }

    @Test("is that it goes on by the old configuration when a reload fails")
    func failedReload() throws {
        let bench = try Self.stoppedBench()
        let receiver = try NotificationReceiver(bench.directory.file("notify.sock"))
        let gateway = try Self.start(bench, receiver)
        try bench.directory.write("listeners: nonsense", to: "gateway.yaml")
        gateway.child.signal(SIGHUP)
        try receiver.wait(for: "READY=1", count: 2)
        #expect(receiver.messages.last == "READY=1\nSTATUS=Serving, configuration 1")
        #expect(try gateway.stop() == 0)
    }

    @Test("is nothing when the gateway cannot start")
    func failedStart() throws {
        let bench = try GatewayBench()
        let receiver = try NotificationReceiver(bench.directory.file("notify.sock"))
        let text = try String(contentsOfFile: bench.configurationFile, encoding: .utf8)
        let file = try bench.directory.write(
            text.replacing("127.0.0.1:0", with: "127.0.0.1:\(bench.gateway.port)"),
            to: "b.yaml"
        )
        let child = try ChildProcess(
            try GatewayProcess.command(file),
            environment: ["NOTIFY_SOCKET": receiver.name]
        )
        #expect(try child.wait() == 69)
        #expect(receiver.messages.isEmpty)
    }

    @Test("needs a socket that is there", arguments: ["/none/notify.sock", "vsock:2:9"])
    func noSocket(name: String) throws {
        let bench = try Self.stoppedBench()
        let child = try ChildProcess(
            try GatewayProcess.command(bench.configurationFile),
            environment: ["NOTIFY_SOCKET": name]
        )
        #expect(try child.wait() == 69)
        #expect(child.errors.contains("NOTIFY_SOCKET=\(name)"), "\(child.errors)")
    }

    @Test("is again and again that it is alive, unless the watchdog is another process's", arguments: [true, false])
    func watchdog(isOurs: Bool) throws {
        let bench = try Self.stoppedBench()
        let receiver = try NotificationReceiver(bench.directory.file("notify.sock"))
        var environment = ["WATCHDOG_USEC": "100000"]
        if !isOurs { environment["WATCHDOG_PID"] = "1" }
        let gateway = try Self.start(bench, receiver, environment)
        try receiver.wait(for: "READY=1")
        if isOurs {
            try receiver.wait(for: "WATCHDOG=1", count: 5)
        } else {
            letTimePass(milliseconds: 300)
            #expect(receiver.count("WATCHDOG=1") == 0)
        }
        #expect(try gateway.stop() == 0)
    }

    @Test("is not that it is alive while one of its threads hangs")
    func hangingThread() throws {
        let bench = try Self.stoppedBench()
        let receiver = try NotificationReceiver(bench.directory.file("notify.sock"))
        // A thread that writes to a log that nobody reads waits for its reader.
        let path = bench.directory.file("log")
        mkfifo(path, 0o600)
        let log = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        defer { close(log) }
        let child = try ChildProcess(
            ["/bin/sh", "-c", "exec \"$@\" 2>\(path)", "sh"] + GatewayProcess.command(bench.configurationFile)
                + ["--log-format", "json", "--log-level", "debug"],
            environment: ["NOTIFY_SOCKET": receiver.name, "WATCHDOG_USEC": "200000"]
        )
        try receiver.wait(for: "WATCHDOG=1", count: 3)
        let text = Self.read(log)
        let port = try #require(text.split(separator: "127.0.0.1:").dropFirst().first?.prefix { $0.isNumber })
        let number = try #require(UInt16(port))
        // More lines than the pipe holds.
        var isHanging = false
        var count = 0
        try eventually("a thread hangs") {
            for _ in 0..<50 { TestClient(port: number, tls: nil).disappear(reset: true) }
            let before = receiver.count("WATCHDOG=1")
            letTimePass(milliseconds: 600)
            count = receiver.count("WATCHDOG=1")
            isHanging = count == before
            return isHanging
        }
        try eventually("it is alive again when the log is read") {
            _ = Self.read(log)
            return receiver.count("WATCHDOG=1") > count + 2
        }
        #expect(child.status == nil)
    }

    private static func read(_ descriptor: Int32) -> String {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: all, as: UTF8.self) }
            all += buffer[..<count]
        }
    }
}
