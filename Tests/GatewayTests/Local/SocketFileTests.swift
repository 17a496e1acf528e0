// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@Suite("The file of a Unix socket that the gateway listens at", .blocking)
struct SocketFileTests {
    /// Of links themselves; FileManager does not follow them.
    private static func attributes(_ path: String) -> [FileAttributeKey: Any]? {
        try? FileManager.default.attributesOfItem(atPath: path)
    }

    private static func permissions(_ path: String) -> Int? {
        attributes(path)?[.posixPermissions] as? Int
    }

    /// Starts another gateway with the same configuration and waits for its end.
    private static func second(_ bench: GatewayBench) throws -> (status: Int32, errors: String) {
        let child = try ChildProcess(try GatewayProcess.command(bench.configurationFile))
        return (try child.wait(), child.errors)
    }

    @Test("has the mode of the configuration, whatever the umask", arguments: ["000", "077", "777"])
    func mode(umask: String) throws {
        let bench = try GatewayBench.local(mode: "0660")
        #expect(Self.permissions(bench.localSocket) == 0o660)
        #expect(try bench.gateway.stop() == 0)
        let start = "umask \(umask) && exec \"$@\""
        let command = try GatewayProcess.command(bench.configurationFile)
        let child = try ChildProcess(["/bin/sh", "-c", start, "sh"] + command)
        try eventually("it listens: \(child.errors)") { child.errors.contains("local.sock") }
        #expect(Self.permissions(bench.localSocket) == 0o660)
        child.signal(SIGTERM)
        #expect(try child.wait() == 0)
    }

    @Test("is for the gateway's own user where no mode is given")
    func standardMode() throws {
        let bench = try GatewayBench.local { $0.listeners = ["{ unix: local.sock }"] }
        #expect(Self.permissions(bench.localSocket) == 0o600)
    }

    @Test("is gone as soon as the gateway stops")
    func removed() throws {
        let bench = try GatewayBench.local()
        let client = try bench.openLocally()
        bench.gateway.child.signal(SIGTERM)
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.errorCode == "draining")
        #expect(Self.attributes(bench.localSocket) == nil)
        client.disappear(reset: false)
        #expect(try bench.gateway.child.wait() == 0)
    }

    @Test("is left alone at the end when it is another's by then")
    func another() throws {
        let bench = try GatewayBench.local()
        unlink(bench.localSocket)
        let other = try RecordingUpstream(path: bench.localSocket)
        #expect(try bench.gateway.stop() == 0)
        #expect(Self.attributes(bench.localSocket) != nil)
        withExtendedLifetime(other) {}
    }

    @Test("is replaced when a gateway that was killed has left it behind")
    func stale() throws {
        let bench = try GatewayBench.local()
        bench.gateway.kill()
        try bench.gateway.child.wait()
        #expect(Self.attributes(bench.localSocket) != nil)
        let next = try GatewayProcess(configurationFile: bench.configurationFile)
        _ = try bench.openLocally()
        #expect(try next.stop() == 0)
        #expect(Self.attributes(bench.localSocket) == nil)
    }

    @Test("is not taken from a gateway that listens there")
    func live() throws {
        let bench = try GatewayBench.local()
        let second = try Self.second(bench)
        #expect(second.status == 69)
        #expect(second.errors.contains("cannot listen on unix:\(bench.localSocket): another program listens there"))
        _ = try bench.openLocally()
        // The first has not noticed more than somebody who looked in.
        let closing = try bench.gateway.waitForClosings(1)
        #expect(closing["reason"] == "closed-before-handshake")
        #expect(closing["level"] == "debug")
    }

    @Test("does not replace what is no socket", arguments: ["file", "folder", "link"])
    func noSocket(kind: String) throws {
        let bench = try GatewayBench.local()
        #expect(try bench.gateway.stop() == 0)
        switch kind {
        case "file": try bench.directory.write("precious", to: "local.sock")
        case "folder": mkdir(bench.localSocket, 0o755)
        default: symlink("up.sock", bench.localSocket)
        }
        let second = try Self.second(bench)
        #expect(second.status == 69)
        #expect(second.errors.contains("no socket"), "\(second.errors)")
        #expect(Self.attributes(bench.localSocket) != nil)
    }

    @Test("cannot be in a folder that does not exist")
    func noFolder() throws {
        let bench = try GatewayBench.local()
        #expect(try bench.gateway.stop() == 0)
        let text = try String(contentsOfFile: bench.configurationFile, encoding: .utf8)
        let file = try bench.directory.write(text.replacing("unix: local", with: "unix: none/local"), to: "b.yaml")
        let child = try ChildProcess(try GatewayProcess.command(file))
        #expect(try child.wait() == 69)
        #expect(child.errors.contains("its folder does not exist"), "\(child.errors)")
    }
}
