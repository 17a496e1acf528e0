// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@testable import TLSEngine

@Suite struct ConfigurationTests {
    let authority: TestAuthority
    let server: TLSConfiguration

    init() throws {
        self.authority = try TestAuthority.shared()
        self.server = try self.authority.serverConfiguration()
    }

    /// Makes a context that must be refused.
    private func refusal(_ configuration: TLSConfiguration) throws -> TLSConfigurationError {
        let error = #expect(throws: TLSConfigurationError.self) { try TLSContext(configuration) }
        return try #require(error)
    }

    private func file(_ content: String) throws -> String {
        let path = "\(self.authority.directory)/\(UUID().uuidString).txt"
        try content.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test("A good configuration says whose certificate it has, and notes nothing that matters")
    func good() throws {
        let context = try TLSContext(self.server)
        #expect(context.certificate?.dnsNames == ["localhost"])
        #expect(context.notes.allSatisfy { $0.hasPrefix("group X25519MLKEM768") })
        #expect(TLSContext.libraryVersion.hasPrefix("OpenSSL 3."))
    }

    @Test("A missing file is named, with the reason")
    func missingFile() throws {
        for path in [\TLSConfiguration.certificateChainFile, \.privateKeyFile, \.trustAnchorsFile] {
            var configuration = self.server
            configuration[keyPath: path] = "/nonexistent/file.pem"
            let error = try self.refusal(configuration)
            #expect(error.description == "/nonexistent/file.pem: cannot be opened: No such file or directory")
        }
    }

    @Test("A directory is not a file")
    func directory() throws {
        var configuration = self.server
        configuration.trustAnchorsFile = self.authority.directory
        #expect(try self.refusal(configuration).message == "cannot be read; is it a file?")
    }

    @Test("A key of another certificate is refused, and both files are named")
    func wrongKey() throws {
        var configuration = self.server
        let other = try self.authority.client("alice")
        configuration.privateKeyFile = other.key
        let certificate = try #require(configuration.certificateChainFile)
        let expected = "\(other.key): the key does not belong to the certificate in \(certificate)"
        #expect(try self.refusal(configuration).description == expected)
    }

    @Test("Files that are empty or not PEM are refused, and say what belongs there")
    func garbage() throws {
        let empty = try self.file("")
        let garbage = try self.file("This is not a certificate.\n")
        for (content, words) in [(empty, "is empty"), (garbage, "holds no")] {
            for path in [\TLSConfiguration.certificateChainFile, \.privateKeyFile, \.trustAnchorsFile] {
                var configuration = self.server
                configuration[keyPath: path] = content
                let error = try self.refusal(configuration)
                #expect(error.file == content)
                #expect(error.message.hasPrefix(words) && error.message.contains("PEM"), "\(error)")
            }
        }
    }

    @Test("A damaged certificate in a bundle is refused, with its number")
    func damaged() throws {
        let good = try String(contentsOfFile: self.authority.caFile, encoding: .utf8)
        let bad = "-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n"
        var configuration = self.server
        configuration.trustAnchorsFile = try self.file(good + bad)
        #expect(try self.refusal(configuration).message.hasPrefix("certificate number 2 in the file is damaged"))
    }

    @Test("A trust anchor that is no authority is refused, and named")
    func anchorIsNoAuthority() throws {
        var configuration = self.server
        configuration.trustAnchorsFile = try self.authority.client("alice").certificate
        let message = "certificate number 1 (CN=alice) is not a certificate authority's"
        #expect(try self.refusal(configuration).message == message)
    }

    @Test("Settings that contradict each other are refused")
    func contradictions() throws {
        var configuration = self.server
        configuration.privateKeyFile = nil
        #expect(try self.refusal(configuration).message.contains("the private key is not given"))
        configuration.certificateChainFile = nil
        #expect(try self.refusal(configuration).message.contains("a server needs a certificate"))
        configuration = self.server
        configuration.trustAnchorsFile = nil
        #expect(try self.refusal(configuration).message.contains("client certificates are required"))
        #expect(try self.refusal(TLSConfiguration(role: .client)).message.contains("a client needs a file"))
    }

    @Test("A group the library does not know is left out, with a note")
    func unknownGroup() throws {
        var configuration = self.server
        configuration.groups = ["NoSuchGroup", "P-256", "AnotherOne"]
        let context = try TLSContext(configuration)
        let version = TLSContext.libraryVersion.split(separator: " ").prefix(2).joined(separator: " ")
        let notes = ["NoSuchGroup", "AnotherOne"].map { "group \($0) is not known to \(version) and is not offered" }
        #expect(context.notes == notes)
        let client = self.authority.clientConfiguration(try self.authority.client("alice"))
        let pair = try TLSPair(server: context, client: TLSContext(client))
        #expect(pair.handshake())
        #expect(pair.server.session.negotiated?.group == "P-256")
    }

    @Test("No known group at all, and names that are none, are errors")
    func badGroups() throws {
        for groups in [["NoSuchGroup"], [], [""], ["P-256:P-384"], ["*X25519"], ["-X25519"]] {
            var configuration = self.server
            configuration.groups = groups
            #expect(try self.refusal(configuration).message.contains("group"))
        }
    }

    @Test("Unknown ciphers and impossible application protocols are errors")
    func badNames() throws {
        var configuration = self.server
        configuration.cipherSuites = ["TLS_AES_128_GCM_SHA256", "TLS_NO_SUCH_SUITE"]
        #expect(try self.refusal(configuration).message.contains("\"TLS_NO_SUCH_SUITE\""))
        configuration = self.server
        configuration.cipherSuites = []
        #expect(try self.refusal(configuration).message.contains("cipher suite"))
        configuration = self.server
        configuration.cipherList = "NO-SUCH-CIPHER"
        #expect(try self.refusal(configuration).message.contains("\"NO-SUCH-CIPHER\""))
        configuration = self.server
        configuration.applicationProtocols = [String(repeating: "x", count: 256)]
        #expect(try self.refusal(configuration).message.contains("1 to 255 bytes"))
    }

    @Test("An own certificate that has expired is noted")
    func expiredOwnCertificate() throws {
        let files = try self.authority.server("old-server", notBefore: "-2d", notAfter: "-1d")
        let context = try TLSContext(self.authority.serverConfiguration(files))
        #expect(context.notes.contains { $0.hasPrefix("\(files.certificate): the certificate expired on 20") })
    }

    @Test("An error leaves nothing behind for the next call on this thread")
    func cleanErrorQueue() throws {
        var configuration = self.server
        configuration.groups = ["NoSuchGroup"]
        _ = try self.refusal(configuration)
        configuration = self.server
        configuration.privateKeyFile = try self.file("x")
        _ = try self.refusal(configuration)
        #expect(OpenSSLErrors.take().entries.isEmpty)
    }
}
