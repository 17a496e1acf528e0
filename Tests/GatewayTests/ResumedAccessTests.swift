// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

/// Who may connect after a change, with a fresh handshake and by resuming a session from before.
@Suite("A certificate that is no longer wanted", .blocking)
struct ResumedAccessTests {
    /// One client that keeps its TLS session from connection to connection.
    private final class Returner {
        let context: TLSContext
        var session: TLSResumptionState?

        init(_ configuration: TLSConfiguration) throws {
            var configuration = configuration
            configuration.sessionLifetime = 3600
            self.context = try TLSContext(configuration)
        }

        /// Connects, with the session of last time if there is one, and waits until it is accepted.
        ///
        /// - Returns: Whether the session was resumed.
        /// - Throws: Why the gateway does not want it.
        @discardableResult
        func visit(_ gateway: GatewayProcess, keepsSession: Bool = true) throws -> Bool {
            let stream = try BlockingStream(
                host: "127.0.0.1",
                port: gateway.port,
                tls: self.context,
                serverName: "localhost",
                resuming: self.session
            )
            let client = try BlockingClient(stream, context: "visitor")
            try client.waitUntilReady()
            if keepsSession { self.session = stream.resumableSession }
            client.finish()
            return stream.isResumed
        }
    }

    @Test("can be resumed with its identity while it is wanted", arguments: TLSVersion.allCases)
    func resumes(version: TLSVersion) throws {
        let bench = try GatewayBench { $0.minimumVersion = "1.2" }
        var configuration = bench.tls(try bench.alice())
        configuration.minimumVersion = .tls12
        configuration.maximumVersion = version
        let alice = try Returner(configuration)
        #expect(try alice.visit(bench.gateway) == false)
        for _ in 0..<3 {
            #expect(try alice.visit(bench.gateway) == true)
        }
        try bench.gateway.waitForClosings(4)
        let accepted = bench.gateway.log.filter { $0["message"] == "client accepted" }
        #expect(Set(accepted.map { $0["context"] }) == ["remote:alice"])
        #expect(Set(accepted.map { $0["fingerprint"] }).count == 1)
    }

    @Test("needs a full handshake when its ticket has been used already")
    func replay() throws {
        let bench = try GatewayBench()
        let alice = try Returner(bench.tls(try bench.alice()))
        try alice.visit(bench.gateway)
        #expect(try alice.visit(bench.gateway, keepsSession: false) == true)
        #expect(try alice.visit(bench.gateway, keepsSession: false) == false)
    }

    @Test("is never resumed when resumption is off")
    func off() throws {
        let bench = try GatewayBench { $0.tls = ["resumption": "off"] }
        let alice = try Returner(bench.tls(try bench.alice()))
        let stream = try BlockingStream(
            host: "127.0.0.1",
            port: bench.gateway.port,
            tls: alice.context,
            serverName: "localhost"
        )
        try BlockingClient(stream, context: "visitor").waitUntilReady()
        #expect(stream.resumableSession == nil)
    }

    /// What changes while the gateway is restarted.
    enum Change: String, CaseIterable, Sendable {
        case leafRevoked, intermediateRevoked, serialDenied, fingerprintDenied, listExpired, entryRemoved

        var reason: String {
            switch self {
            case .leafRevoked, .intermediateRevoked: "certificate-revoked"
            case .serialDenied, .fingerprintDenied: "certificate-denied"
            case .listExpired: "revocation-unknown"
            case .entryRemoved: "identity-not-mapped"
            }
        }
    }

    @Test(
        "is refused after the change, fresh and with a ticket from before, and others are not",
        arguments: Change.allCases
    )
    func refused(change: Change) throws {
        let authority = try TestAuthority()
        _ = try authority.intermediate("branch")
        let files = try authority.client("alice", uris: ["spiffe://example.org/dev/alice"], issuer: "branch")
        let bob = try authority.client("bob", uris: ["spiffe://example.org/dev/bob"])
        try authority.writeRevocationList()
        let crl = ["crl": authority.crlFile]
        let before = try GatewayBench(authority: authority) { $0.tls = crl }
        let alice = try Returner(before.tls(files))
        try alice.visit(before.gateway)
        #expect(try alice.visit(before.gateway) == true)
        let others = try Returner(before.tls(bob))
        try others.visit(before.gateway)
        #expect(try before.gateway.stop() == 0)

        let identity = try CertificateIdentity.load(certificateFile: files.certificate)
        switch change {
        case .leafRevoked: try authority.revoke("alice")
        case .intermediateRevoked: try authority.revoke("branch")
        case .serialDenied, .fingerprintDenied, .listExpired, .entryRemoved: break
        }
        try authority.writeRevocationList(notAfter: change == .listExpired ? "+1s" : nil)
        let after = try GatewayBench(authority: authority) {
            $0.tls = crl
            if change == .serialDenied { $0.deny = ["serial": "[\"0\(identity.serialNumber.uppercased())\"]"] }
            if change == .fingerprintDenied { $0.deny = ["fingerprint": "[\(identity.fingerprint)]"] }
            if change == .entryRemoved {
                $0.clients = ["{ match: { uri: \"spiffe://example.org/dev/bob\" }, context: b, allow: [] }"]
            }
        }
        if change == .listExpired {
            try eventually("the list expires") { (try? alice.visit(after.gateway, keepsSession: false)) == nil }
        }
        #expect(throws: (any Error).self, "with the ticket from before") { try alice.visit(after.gateway) }
        alice.session = nil
        #expect(throws: (any Error).self, "fresh") { try alice.visit(after.gateway) }
        try eventually("both refusals are logged") {
            after.gateway.closings.count { $0["reason"] == change.reason } >= 2
        }
        if change != .listExpired {
            #expect(try others.visit(after.gateway) == false, "a ticket from before a restart is worth nothing")
        }
    }

    @Test("is refused in the same process once the revocation list has expired, and cannot be resumed past it")
    func expiresMeanwhile() throws {
        let authority = try TestAuthority()
        let files = try authority.client("alice", uris: ["spiffe://example.org/dev/alice"])
        try authority.writeRevocationList(notAfter: "+4s")
        let bench = try GatewayBench(authority: authority) { $0.tls = ["crl": authority.crlFile] }
        let alice = try Returner(bench.tls(files))
        try alice.visit(bench.gateway)
        #expect(try alice.visit(bench.gateway) == true)
        try eventually("the gateway refuses", within: .seconds(15)) { (try? alice.visit(bench.gateway)) == nil }
        try bench.gateway.waitForLog("the reason") { $0["reason"] == "revocation-unknown" }
    }
}
