// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import TLSEngine
import Testing

@Suite struct ScriptTests {
    private func permissions(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    @Test("Keys and the directory are readable for their owner only")
    func permissions() throws {
        let authority = try TestAuthority()
        let files = try authority.client("alice")
        #expect(try self.permissions(authority.directory) == 0o700)
        #expect(try self.permissions(files.key) == 0o600)
        #expect(try self.permissions(authority.directory + "/ca-key.pem") == 0o600)
        #expect(try self.permissions(files.certificate) == 0o644)
    }

    @Test("Nothing is overwritten")
    func overwriting() throws {
        let authority = try TestAuthority()
        let files = try authority.client("alice")
        let before = try Data(contentsOf: URL(fileURLWithPath: files.certificate))
        let commands = [
            ["init", authority.directory], ["client", authority.directory, "alice"],
            ["server", authority.directory, "alice", "--dns", "x"], ["intermediate", authority.directory, "alice"],
        ]
        for command in commands {
            let error = #expect(throws: TestAuthorityError.self) { try authority.run(command) }
            #expect(error?.description.contains("is not overwritten") == true)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: files.certificate)) == before)
    }

    @Test(
        "What cannot work is refused, with what to do instead",
        arguments: [
            (["client", "DIR", "../alice"], "is not a usable name"), (["client", "DIR", "ca"], "choose another"),
            (["client", "DIR", "x-key"], "choose another"), (["server", "DIR", "x"], "needs --dns or --ip"),
            (["client", "DIR"], "needs a name"), (["client", "DIR", "x", "--cn"], "--cn needs a value"),
            (["client", "DIR", "x", "--cn", "a\nb"], "control character"),
            (["client", "DIR", "x", "--not-after", "soon"], "is not a time"),
            (["client", "DIR", "x", "--not-after", "-1d"], "before it begins"),
            (["client", "DIR", "x", "--purpose", "fun"], "use server, client or none"),
            (["client", "DIR", "x", "--issuer", "nobody"], "make it first"),
            (["client", "/nonexistent", "x"], "make one first"), (["revoke", "DIR", "nobody"], "was not issued here"),
            (["frobnicate", "DIR"], "unknown command"), (["client", "DIR", "x", "--what", "y"], "unknown option"),
        ]
    )
    func refusals(command: [String], words: String) throws {
        let authority = try TestAuthority.shared()
        let error = #expect(throws: TestAuthorityError.self) {
            try authority.run(command.map { $0 == "DIR" ? authority.directory : $0 })
        }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test("Help is given without an authority")
    func help() throws {
        try TestAuthority.shared().run(["--help"])
    }

    @Test("A revoked certificate is in the list, which has a part for each authority")
    func revocation() throws {
        let authority = try TestAuthority()
        _ = try authority.intermediate("middle")
        _ = try authority.client("alice", issuer: "middle")
        try authority.revoke("alice")
        try authority.writeRevocationList()
        let text = try String(contentsOfFile: authority.crlFile, encoding: .utf8)
        #expect(text.components(separatedBy: "-----BEGIN X509 CRL-----").count == 3)
        try authority.writeRevocationList(notAfter: "-1d")
    }

    @Test("An authority serves many at once")
    func concurrent() async throws {
        let authority = try TestAuthority()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<6 {
                group.addTask { try authority.run(["client", authority.directory, "client\(index)"]) }
            }
            try await group.waitForAll()
        }
        let serials = try (0..<6).map { index in
            try CertificateIdentity.load(certificateFile: "\(authority.directory)/client\(index).pem").serialNumber
        }
        #expect(Set(serials).count == 6)
    }

    @Test("The directory is removed with the authority")
    func removal() throws {
        var authority: TestAuthority? = try TestAuthority()
        let directory = try #require(authority?.directory)
        #expect(FileManager.default.fileExists(atPath: directory))
        authority = nil
        #expect(!FileManager.default.fileExists(atPath: directory))
    }
}
