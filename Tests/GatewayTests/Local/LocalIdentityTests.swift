// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Local clients, by what the kernel says of them", .blocking)
struct LocalIdentityTests {
    private static let isRoot = geteuid() == 0

    /// Nobody's number, here and in a container.
    private static let stranger: UInt32 = 12_345

    private static let canMount =
        isRoot && (try? ChildProcess(["unshare", "--mount", "true"]).wait()) == 0

    private static func isRefused(_ client: TestClient, _ bench: GatewayBench, closing count: Int = 1) throws {
        client.open()
        #expect(try client.receiveToEnd() == .inOrder)
        #expect(client.errorCode == "not-allowed")
        #expect(client.frames.count == 1, "nothing but the error: \(client.frames)")
        let closing = try bench.gateway.waitForClosings(count)
        #expect(closing["reason"] == "identity-not-mapped", "\(closing)")
    }

    /// The context that the program gets as a client, or nil when it is refused.
    private static func context(_ words: [String], _ bench: GatewayBench) throws -> String? {
        let child = try ChildProcess(words + ["call", "--unix", bench.localSocket, "sample", "whoami"])
        let status = try child.wait()
        if status == 0 { return child.output }
        #expect(status == 69, "\(child.errors)")
        #expect(child.errors.contains("not-allowed"))
        return nil
    }

    /// A gateway in front of the sample server, which says who its clients are.
    private static func sample(_ entries: String...) throws -> (bench: GatewayBench, server: SampleServer) {
        let bench = try GatewayBench.local(upstream: .nothing) { $0.clients = entries }
        return (bench, try SampleServer(bench.directory.file("up.sock")))
    }

    @Test("the user of an entry is let in, beside clients with certificates, and the log says who it is")
    func user() throws {
        let bench = try GatewayBench.local(isEager: true)
        let client = try bench.openLocally()
        let opening = RecordingUpstream.opening(context: "local:\(getuid())")
        #expect(try bench.recording().connection().receive(count: opening.count) == opening)
        let remote = try bench.open()
        let remoteOpening = RecordingUpstream.opening(context: "remote:alice")
        #expect(try bench.recording().connection(1).receive(count: remoteOpening.count) == remoteOpening)
        let accepted = try bench.gateway.waitForLog("the client") { $0["context"] == "local:\(getuid())" }
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        #expect(accepted["peer"]?.hasPrefix("uid \(getuid()) pid \(getpid()) /") == true, "\(accepted)")
        #expect(accepted["peer"]?.contains(executable.prefix(60)) == true)
        #expect(accepted["identity"] == "uid \(getuid())")
        withExtendedLifetime((client, remote)) {}
    }

    @Test("nobody else is let in, and nothing reaches the server", arguments: ["uid", "gid"])
    func otherUser(field: String) throws {
        let bench = try GatewayBench.local(isEager: true) {
            $0.clients = [
                GatewayBench.entry("\(field): \"\(Self.stranger)\"", context: "local"),
                GatewayBench.entry("commonName: \"**\"", context: "remote"),
            ]
        }
        try Self.isRefused(bench.connectLocally(), bench)
        #expect(try bench.recording().settledConnections().isEmpty)
        let detail = bench.gateway.closings[0]["detail"]
        #expect(detail?.contains("uid '\(getuid())', gid '\(getgid())'") == true, "\(detail ?? "")")
    }

    @Test("an entry for local clients lets nobody in who has a certificate, whatever the certificate says")
    func certificate() throws {
        let bench = try GatewayBench.local(isEager: true) {
            $0.clients = [
                GatewayBench.entry("uid: \"*\"", context: "uid"), GatewayBench.entry("gid: \"*\"", context: "gid"),
                GatewayBench.entry("executable: \"/**\"", context: "executable"),
            ]
        }
        let name = "\(getuid())"
        let client = try bench.connect(bench.authority.client(name, uris: ["/usr/bin/node"]))
        try Self.isRefused(client, bench)
        #expect(try bench.recording().settledConnections().isEmpty)
    }

    @Test("a group of an entry is let in")
    func group() throws {
        let bench = try GatewayBench.local(isEager: true) {
            $0.clients = [GatewayBench.entry("gid: \"\(getgid())\"", context: "group:{gid}")]
        }
        let client = try bench.openLocally()
        let opening = RecordingUpstream.opening(context: "group:\(getgid())")
        #expect(try bench.recording().connection().receive(count: opening.count) == opening)
        withExtendedLifetime(client) {}
    }

    @Test("a program of an entry is let in, and no other of the same user")
    func executable() throws {
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = String(program[..<(try #require(program.lastIndex(of: "/")))])
        let (bench, server) = try Self.sample(
            GatewayBench.entry(
                "uid: \"\(getuid())\", executable: \"\(folder)/*-gateway\"",
                context: "{uid}:{executable}"
            )
        )
        let context = try Self.context([GatewayProcess.program()], bench)
        #expect(context == "\"\(getuid()):\(folder)/ipc-gateway\"\n")
        try Self.isRefused(bench.connectLocally(), bench, closing: 2)
        withExtendedLifetime(server) {}
    }

    @Test("users and groups are told apart", .enabled(if: isRoot, "only root can be somebody else"))
    func otherUsers() throws {
        let (bench, server) = try Self.sample(
            GatewayBench.entry("uid: \"\(Self.stranger)\"", context: "stranger"),
            GatewayBench.entry("gid: \"777\"", context: "group")
        )
        let program = try bench.copyOfProgram("client")
        func asUser(_ uid: UInt32, _ groups: String...) throws -> String? {
            let words = ["setpriv", "--reuid", "\(uid)", "--regid", "\(uid)"] + groups + [program]
            return try Self.context(words, bench)
        }
        #expect(try asUser(Self.stranger, "--clear-groups") == "\"stranger\"\n")
        // The user is judged before the groups.
        #expect(try asUser(Self.stranger, "--groups", "777") == "\"stranger\"\n")
        #expect(try asUser(Self.stranger + 1, "--groups", "5,777,9") == "\"group\"\n")
        #expect(try asUser(777, "--clear-groups") == "\"group\"\n")
        #expect(try asUser(Self.stranger + 1, "--clear-groups") == nil)
        // More than fit into the first question.
        let many = (1_000..<1_060).map { "\($0)" }.joined(separator: ",") + ",777"
        #expect(try asUser(Self.stranger + 1, "--groups", many) == "\"group\"\n")
        let tooMany = ["--groups", (1_000..<2_100).map { "\($0)" }.joined(separator: ",") + ",777"]
        let user = ["setpriv", "--reuid", "\(Self.stranger)", "--regid", "777"] + tooMany
        #expect(try ChildProcess(user + [program, "call", "--unix", bench.localSocket, "a", "b"]).wait() == 69)
        try bench.gateway.waitForLog("the groups") { $0["detail"]?.contains("is in 1101 groups, more than") == true }
        #expect(try Self.context([program], bench) == nil, "root is nobody in particular")
        withExtendedLifetime(server) {}
    }

    @Test("the socket's mode keeps others out before that", .enabled(if: isRoot, "only root can be somebody else"))
    func mode() throws {
        let bench = try GatewayBench.local(mode: "0600") {
            $0.clients = [GatewayBench.entry("uid: \"*\"", context: "anybody")]
        }
        let program = try bench.copyOfProgram("client")
        let user = ["setpriv", "--reuid", "\(Self.stranger)", "--regid", "\(Self.stranger)", "--clear-groups"]
        let child = try ChildProcess(user + [program, "call", "--unix", bench.localSocket, "sample", "whoami"])
        #expect(try child.wait() == 69)
        #expect(child.errors.contains("Permission denied"), "\(child.errors)")
        #expect(bench.gateway.closings.isEmpty)
    }

    // MARK: Programs that are not what they seem

    /// A client that makes a connection for each that is made to it, so that it can connect more than once.
    private static func tap(_ words: [String], _ bench: GatewayBench) throws -> (process: ChildProcess, socket: String)
    {
        let socket = bench.directory.file("tap.sock")
        let process = try ChildProcess(words + ["trace", "--unix", bench.localSocket, "--listen", socket])
        try eventually("the tap listens: \(process.errors)") {
            guard process.status == nil else { throw TestSupportError("the tap ended: \(process.errors)") }
            // Its file is there before anybody can connect.
            return process.errors.contains("ctrl-C ends it")
        }
        return (process, socket)
    }

    @Test("a program whose file was deleted, or replaced, is not the one of the entry")
    func deleted() throws {
        let bench = try GatewayBench.local { configuration in
            configuration.clients = [
                GatewayBench.entry("uid: \"\(getuid())\", executable: \"/tmp/**\"", context: "program")
            ]
        }
        let program = try bench.copyOfProgram("app")
        let tap = try Self.tap([program], bench)
        let client = TestClient(unix: tap.socket)
        client.open()
        try client.receive(count: RecordingUpstream.initialize.count)
        client.finishSending()
        try client.receiveToEnd()
        try bench.gateway.waitForClosings(1)
        unlink(program)
        try Self.isRefused(TestClient(unix: tap.socket), bench, closing: 2)
        try bench.directory.write("another", to: "app")
        try Self.isRefused(TestClient(unix: tap.socket), bench, closing: 3)
        // What the link says of a deleted file can be the name of a file.
        unlink(program)
        try bench.directory.write("another", to: "app (deleted)")
        try Self.isRefused(TestClient(unix: tap.socket), bench, closing: 4)
        #expect(bench.gateway.closings[3]["detail"]?.contains("is not the file that the process runs") == true)
        tap.process.signal(SIGKILL)
    }

    @Test(
        "a program that stands at the path of the entry only in a mount namespace of its own is another one",
        .enabled(if: canMount, "only root can mount here")
    )
    func ownMounts() throws {
        let bench = try GatewayBench.local { configuration in
            configuration.clients = [
                GatewayBench.entry("uid: \"\(getuid())\", executable: \"/tmp/**/trusted\"", context: "program")
            ]
        }
        let trusted = try bench.directory.write("#!/bin/sh\n", to: "trusted")
        let program = try bench.copyOfProgram("mine")
        let script = "mount --bind \"$0\" \"$1\" && shift 1 && exec \"\(trusted)\" \"$@\""
        let words = ["unshare", "--mount", "/bin/sh", "-c", script, program, trusted]
        let tap = try Self.tap(words, bench)
        try Self.isRefused(TestClient(unix: tap.socket), bench)
        let detail = bench.gateway.closings[0]["detail"]
        #expect(detail?.contains("is not the file that the process runs") == true, "\(detail ?? "")")
        tap.process.signal(SIGKILL)
    }
}
