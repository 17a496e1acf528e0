// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCTransport
import NIOCore
import Testing

@Suite("A listener")
struct ListenerTests {
    let directory: TemporaryDirectory
    var path: String { directory.file("s.sock") }

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func open(_ endpoint: ServerEndpoint) async throws -> IPCListener {
        try await IPCListener.open(endpoint) { $0.start(delivering: RecordingReceiver()) }
    }

    private func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }

    @Test("of a Unix socket lets only its user connect, unless it is told otherwise", arguments: [nil, 0o666, 0o620])
    func mode(_ mode: UInt32?) async throws {
        let listener = try await open(mode.map { .unix(path, mode: $0) } ?? .unix(path))
        #expect(status(path).map { $0.st_mode & 0o777 } == mode ?? 0o600)
        #expect(status(path).map { $0.st_mode & S_IFMT } == S_IFSOCK)
        #expect(listener.address.pathname == path)
        await listener.close()
    }

    @Test("can give the socket to somebody")
    func owner() async throws {
        let listener = try await open(.unix(path, owner: .init(user: geteuid(), group: getegid())))
        #expect(status(path)?.st_uid == geteuid())
        await listener.close()
        guard geteuid() == 0 else { return }
        let other = try await open(.unix(path, owner: .init(group: 12_345)))
        #expect(status(path)?.st_gid == 12_345)
        #expect(status(path)?.st_uid == 0)
        await other.close()
    }

    @Test("removes its socket's file when it closes, and accepts nobody any more")
    func removal() async throws {
        let listener = try await open(.unix(path))
        let client = try await PlainConnection.connect(to: .unix(path))
        let receiver = RecordingReceiver()
        client.start(delivering: receiver)
        await listener.close()
        await listener.close()
        await listener.waitUntilClosed()
        #expect(status(path) == nil)
        let error = await #expect(throws: ConnectionEnd.self) { try await PlainConnection.connect(to: .unix(path)) }
        #expect(error?.reason == "unix:\(path): No such file or directory")
        #expect(receiver.end == nil)
        client.close(.disposed)
    }

    @Test("leaves a file alone that has taken its place")
    func foreignFile() async throws {
        let listener = try await open(.unix(path))
        try FileManager.default.removeItem(atPath: path)
        try directory.write("mine", to: "s.sock")
        await listener.close()
        #expect(status(path) != nil)
    }

    @Test("takes the place of a socket that nobody listens at any more")
    func stale() async throws {
        let descriptor = try Self.bindSocket(path)
        close(descriptor)
        #expect(status(path) != nil)
        let listener = try await open(.unix(path))
        let client = try await PlainConnection.connect(to: .unix(path))
        client.close(.disposed)
        await listener.close()
    }

    @Test("does not take the place of a socket that somebody listens at")
    func live() async throws {
        let first = try await open(.unix(path))
        let error = await #expect(throws: ListenError.self) { try await open(.unix(path)) }
        #expect(error?.code == .inUse)
        #expect(error?.reason.contains(path) == true)
        let client = try await PlainConnection.connect(to: .unix(path))
        client.close(.disposed)
        await first.close()
    }

    @Test("does not replace what is not a socket", arguments: [false, true])
    func notASocket(isDirectory: Bool) async throws {
        if isDirectory {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        } else {
            try directory.write("precious", to: "s.sock")
        }
        let error = await #expect(throws: ListenError.self) { try await open(.unix(path)) }
        #expect(error?.code == .notASocket)
        #expect(status(path) != nil)
    }

    @Test("does not follow a link")
    func link() async throws {
        let first = try await open(.unix(directory.file("other.sock")))
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: directory.file("other.sock"))
        let error = await #expect(throws: ListenError.self) { try await open(.unix(path)) }
        #expect(error?.code == .notASocket)
        await first.close()
    }

    @Test("says when a path is too long, and how long it may be")
    func tooLong() async throws {
        let longest = "\(directory.path)/" + String(repeating: "x", count: 107 - directory.path.utf8.count - 1)
        let listener = try await open(.unix(longest))
        let client = try await PlainConnection.connect(to: .unix(longest))
        client.close(.disposed)
        await listener.close()
        #expect(status(longest) == nil)
        let error = await #expect(throws: ListenError.self) { try await open(.unix(longest + "y")) }
        #expect(error?.code == .pathTooLong)
        #expect(error?.reason == "unix:\(longest)y: the path has 108 bytes, and a socket's has at most 107")
        let end = await #expect(throws: ConnectionEnd.self) {
            try await PlainConnection.connect(to: .unix(longest + "y"))
        }
        #expect(end?.reason == error?.reason)
    }

    @Test("says which directory is missing")
    func missingDirectory() async throws {
        let error = await #expect(throws: ListenError.self) { try await open(.unix(directory.file("no/s.sock"))) }
        #expect(error?.code == .failed)
        #expect(error?.reason.contains("No such file or directory") == true)
    }

    @Test("says when a port is taken")
    func portInUse() async throws {
        let listener = try await open(.tcp())
        let port = try #require(listener.port)
        let error = await #expect(throws: ListenError.self) { try await open(.tcp(port: port)) }
        #expect(error?.code == .inUse)
        #expect(error?.reason == "cannot listen on tcp:127.0.0.1:\(port): Address already in use")
        await listener.close()
    }

    /// A socket that is bound and not listened at, as one whose server was killed.
    private static func bindSocket(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard descriptor >= 0, result == 0 else { throw TimedOut(description: "bind: \(errno)") }
        return descriptor
    }
}
