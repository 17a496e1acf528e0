// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@testable import TLSEngine

@Suite final class KeyLogTests {
    let server: TLSConfiguration
    let client: TLSContext
    let directory: String
    let path: String

    init() throws {
        let authority = try TestAuthority.shared()
        self.server = try authority.serverConfiguration()
        self.client = try TLSContext(authority.clientConfiguration(authority.client("alice")))
        self.directory = NSTemporaryDirectory() + "ipc-gateway-log-\(UUID().uuidString)"
        self.path = self.directory + "/keys.log"
        try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    private func configuration() -> TLSConfiguration {
        var configuration = self.server
        configuration.keyLogFile = self.path
        return configuration
    }

    private func lines() throws -> [Substring] {
        let text = try String(contentsOfFile: self.path, encoding: .utf8)
        #expect(text.isEmpty || text.hasSuffix("\n"))
        return text.split(separator: "\n", omittingEmptySubsequences: true)
    }

    private func mode() throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: self.path)[.posixPermissions] as? Int
    }

    @Test("Without the setting no secret is written, and nothing noted")
    func off() throws {
        let context = try TLSContext(self.server)
        #expect(try TLSPair(server: context, client: self.client).handshake())
        #expect(!context.notes.contains { $0.contains("secrets") })
        #expect(context.keyLog == nil)
    }

    @Test("The key log holds the secrets of each connection and nothing else, for its owner only")
    func content() throws {
        let context = try TLSContext(self.configuration())
        #expect(try self.mode() == 0o600)
        let note = "TLS secrets are written to \(self.path): anybody who reads it can read all traffic; "
        #expect(context.notes.last == note + "for debugging only")
        let pair = try TLSPair(server: context, client: self.client)
        #expect(pair.handshake())
        try pair.client.write(Array("a word that must not be in the log".utf8))
        pair.pump()
        let labels = [
            "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "EXPORTER_SECRET",
            "SERVER_TRAFFIC_SECRET_0", "CLIENT_TRAFFIC_SECRET_0",
        ]
        var lines = try self.lines()
        #expect(Set(lines.compactMap { $0.split(separator: " ").first.map(String.init) }) == Set(labels))
        // LABEL, the client's random number, a secret: as the format wants it.
        let pattern = /[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64}/
        #expect(lines.allSatisfy { $0.wholeMatch(of: pattern) != nil })
        let count = lines.count
        #expect(try TLSPair(server: TLSContext(self.configuration()), client: self.client).handshake())
        lines = try self.lines()
        #expect(lines.count == 2 * count)
        #expect(Set(lines.map { $0.split(separator: " ")[1] }).count == 2)
        #expect(try self.mode() == 0o600)
    }

    @Test("Lines of many threads do not mix")
    func manyThreads() async throws {
        let (context, client) = (try TLSContext(self.configuration()), self.client)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try (0..<10).allSatisfy { _ in try TLSPair(server: context, client: client).handshake() }
                }
            }
            for try await isGood in group {
                #expect(isGood)
            }
        }
        let lines = try self.lines()
        #expect(lines.count == 4 * 10 * 5)
        #expect(lines.allSatisfy { $0.wholeMatch(of: /[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64}/) != nil })
    }

    @Test("A key log that is a link, open to others, or no file is refused")
    func refusals() throws {
        func refusal() throws -> String {
            let error = #expect(throws: TLSConfigurationError.self) { try TLSContext(self.configuration()) }
            #expect(error?.file == self.path)
            return try #require(error?.message)
        }
        let other = self.directory + "/other"
        try FileManager.default.createSymbolicLink(atPath: self.path, withDestinationPath: other)
        #expect(try refusal() == "the key log cannot be opened: it is a symbolic link")
        #expect(!FileManager.default.fileExists(atPath: other))
        try FileManager.default.removeItem(atPath: self.path)

        try Data().write(to: URL(fileURLWithPath: self.path))
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: self.path)
        #expect(try refusal().contains("(mode 0644); chmod 600 \(self.path)"))
        try FileManager.default.removeItem(atPath: self.path)

        #expect(mkfifo(self.path, 0o600) == 0)
        #expect(try refusal().hasPrefix("the key log"))
        try FileManager.default.removeItem(atPath: self.path)
        try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: false)
        #expect(try refusal() == "the key log cannot be opened: Is a directory")
    }

    @Test("The file is closed with its context")
    func closing() throws {
        weak var log: KeyLog?
        do {
            let context = try TLSContext(self.configuration())
            log = context.keyLog
            #expect(log != nil)
        }
        #expect(log == nil)
    }
}
