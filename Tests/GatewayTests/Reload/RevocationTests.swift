// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

/// Who is there when a configuration is reloaded, and would not be let in by it.
@Suite("After a reload, the revoked and the unchanged", .blocking)
struct RevocationTests {
    /// What takes a client's right away.
    enum Change: String, CaseIterable, Sendable {
        case serialDenied, leafRevoked, intermediateRevoked, authorityRemoved, entryRemoved, contextChanged
    }

    /// Alice, whose certificate comes from an intermediate authority, and Bob, whose does not.
    private final class Stage {
        let authority: TestAuthority
        let alice: CertificateFiles
        let bob: CertificateFiles

        init() throws {
            authority = try TestAuthority()
            _ = try authority.intermediate("branch")
            alice = try authority.client("alice", uris: ["spiffe://example.org/dev/alice"], issuer: "branch")
            bob = try authority.client("bob", uris: ["spiffe://example.org/dev/bob"])
            try authority.writeRevocationList()
        }

        func configure(_ text: inout GatewayConfigurationText) {
            text.tls = ["crl": authority.crlFile]
            text.clients = Self.entries()
            text.threads = 2
        }

        static func entries(alice: String = "alice", context: String = "a") -> [String] {
            let everything = GatewayConfigurationText.everything
            return [
                "{ match: { uri: \"spiffe://example.org/dev/\(alice)\" }, context: \(context), \(everything) }",
                "{ match: { uri: \"spiffe://example.org/dev/bob\" }, context: b, \(everything) }",
            ]
        }

        /// Does to Alice what the change is.
        func apply(_ change: Change, _ text: inout GatewayConfigurationText) throws {
            switch change {
            case .serialDenied:
                let identity = try CertificateIdentity.load(certificateFile: alice.certificate)
                text.deny = ["serial": "[\"\(identity.serialNumber)\"]"]
            case .leafRevoked, .intermediateRevoked:
                try authority.revoke(change == .leafRevoked ? "alice" : "branch")
                try authority.writeRevocationList()
            case .authorityRemoved:
                break
            case .entryRemoved:
                // What is left moves up.
                text.clients.removeFirst()
            case .contextChanged:
                text.clients = Self.entries(context: "other")
            }
        }
    }

    @Test(
        "are cut within a second, and lose no call",
        arguments: Change.allCases.filter { $0 != .authorityRemoved }
    )
    func sideBySide(change: Change) throws {
        let stage = try Stage()
        let directory = try TemporaryDirectory()
        let server = try SampleServer(directory.file("s.sock"))
        let bench = try GatewayBench(upstream: .at(directory.file("s.sock")), authority: stage.authority) {
            stage.configure(&$0)
        }
        let revoked = try (0..<3).map { _ in try SteadyCaller(bench.gateway, tls: bench.tls(stage.alice)) }
        let others = try (0..<5).map { _ in try SteadyCaller(bench.gateway, tls: bench.tls(stage.bob)) }

        var text = bench.configuration
        try stage.apply(change, &text)
        let begin = ContinuousClock.now
        let line = try bench.reload { $0 = text }
        try eventually("the revoked are cut") { revoked.allSatisfy { $0.failure != nil } }
        for caller in revoked {
            let time = try #require(caller.failedAt) - begin
            #expect(time < .seconds(1) * patience, "\(time)")
            let failure = try #require(caller.failure)
            #expect(failure.contains("(revoked)"), "\(failure)")
        }
        #expect((line["judged"], line["cut"], line["changed"]) == ("8", "3", "0"))
        for caller in others { try caller.waitForAnswers(20) }
        #expect(try #require(line["milliseconds"].flatMap { Int($0) }) < 1000 * patience)

        let closings = try eventuallyClosings(bench.gateway, 3)
        #expect(Set(closings.map { $0["reason"] }) == ["revoked"])
        #expect(closings.allSatisfy { $0["detail"]?.hasPrefix("configuration 2 does not let the client in: ") == true })
        // Those who come now are told apart alike.
        if change != .contextChanged {
            #expect(throws: (any Error).self) { try SteadyCaller(bench.gateway, tls: bench.tls(stage.alice)) }
        }
        try SteadyCaller(bench.gateway, tls: bench.tls(stage.bob)).stop()
        for caller in others {
            caller.stop()
            #expect(caller.failure == nil)
        }
        try server.stop()
    }

    private func eventuallyClosings(_ gateway: GatewayProcess, _ count: Int) throws -> [GatewayProcess.LogLine] {
        try gateway.waitForClosings(count)
        return gateway.closings
    }

    @Test("A client of an authority that is not trusted any more is cut")
    func authorityRemoved() throws {
        let other = try TestAuthority(name: "New CA")
        let bench = try GatewayBench(isEager: true) {
            $0.sections = ["sandbox: { read: [\(other.directory)] }"]
        }
        let client = try bench.open()
        try bench.recording().connection().send(RecordingUpstream.initialize)
        try bench.reload { $0.clientCA = other.caFile }
        try client.receiveToEnd()
        #expect(client.errorCode == "revoked")
        #expect(client.errorReason == "this client may not be connected any more")
        try bench.recording().connection().receiveToEnd()
        #expect(try bench.gateway.waitForClosings(1)["detail"]?.contains("does not let the client in") == true)
    }

    @Test("A TLS session from before is not resumed, whoever's it is", arguments: [true, false])
    func resumption(isRevoked: Bool) throws {
        let stage = try Stage()
        let bench = try GatewayBench(authority: stage.authority) { stage.configure(&$0) }
        var configuration = bench.tls(isRevoked ? stage.alice : stage.bob)
        configuration.sessionLifetime = 3600
        let context = try TLSContext(configuration)
        func visit(_ state: TLSResumptionState?) throws -> BlockingStream {
            let stream = try BlockingStream(
                host: "127.0.0.1",
                port: bench.gateway.port,
                tls: context,
                serverName: "localhost",
                resuming: state
            )
            try BlockingClient(stream, context: "visitor").waitUntilReady()
            return stream
        }
        let first = try visit(nil)
        let second = try visit(first.resumableSession)
        #expect(second.isResumed)
        try bench.reload { try stage.apply(.leafRevoked, &$0) }
        if isRevoked {
            #expect(throws: (any Error).self) { try visit(second.resumableSession) }
            try bench.gateway.waitForLog("why") { $0["reason"] == "certificate-revoked" }
        } else {
            #expect(try visit(second.resumableSession).isResumed == false)
            #expect(!bench.gateway.closings.contains { $0["reason"] == "revoked" })
        }
    }
}
