// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@testable import TLSEngine

/// Keys with passphrases, keys by URI, and who may read them.
@Suite final class PrivateKeyTests {
    let authority: TestAuthority
    let server: TLSConfiguration
    let client: TLSContext
    let directory: String
    let plainKey: String

    init() throws {
        self.authority = try TestAuthority.shared()
        self.server = try self.authority.serverConfiguration()
        self.client = try TLSContext(self.authority.clientConfiguration(self.authority.client("alice")))
        self.directory = NSTemporaryDirectory() + "ipc-gateway-keys-\(UUID().uuidString)"
        self.plainKey = try #require(self.server.privateKeyFile)
        let owner = [FileAttributeKey.posixPermissions: 0o700]
        try FileManager.default.createDirectory(
            atPath: self.directory,
            withIntermediateDirectories: false,
            attributes: owner
        )
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    private func file(_ name: String, _ content: String, mode: Int = 0o600) throws -> String {
        let path = "\(self.directory)/\(name)"
        try Data(content.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    /// The server's key, encrypted with "correct horse".
    private func encryptedKey(traditional: Bool = false) throws -> String {
        let path = "\(self.directory)/encrypted.pem"
        let command = traditional ? "ec" : "pkey"
        try self.openssl(command, "-in", self.plainKey, "-aes256", "-passout", "pass:correct horse", "-out", path)
        return path
    }

    private func configuration(key: String, _ passphrase: PassphraseSource? = nil) -> TLSConfiguration {
        var configuration = self.server
        configuration.privateKeyFile = key
        configuration.privateKeyPassphrase = passphrase
        return configuration
    }

    private func refusal(_ configuration: TLSConfiguration) throws -> TLSConfigurationError {
        let error = #expect(throws: TLSConfigurationError.self) { try TLSContext(configuration) }
        #expect(OpenSSLErrors.take().entries.isEmpty)
        #expect(error?.description.contains("correct horse") == false)
        return try #require(error)
    }

    private func works(_ configuration: TLSConfiguration) throws -> Bool {
        try TLSPair(server: TLSContext(configuration), client: self.client).handshake()
    }

    // MARK: Passphrases

    @Test("An encrypted key is opened by the passphrase in a file", arguments: [false, true])
    func passphraseFile(traditional: Bool) throws {
        let key = try self.encryptedKey(traditional: traditional)
        for content in ["correct horse", "correct horse\n"] {
            let file = try self.file("passphrase", content)
            #expect(try self.works(self.configuration(key: key, .file(file))))
            #expect(try self.works(self.configuration(key: "file:\(key)", .file(file))))
        }
    }

    @Test("An encrypted key is opened by the passphrase in an environment variable")
    func passphraseVariable() throws {
        let name = "IPC_GATEWAY_TEST_PASSPHRASE"
        setenv(name, "correct horse", 1)
        defer { unsetenv(name) }
        #expect(try self.works(self.configuration(key: try self.encryptedKey(), .environment(name))))
    }

    @Test("A key that is not encrypted needs no passphrase, but may have one")
    func needlessPassphrase() throws {
        let file = try self.file("passphrase", "anything\n")
        #expect(try self.works(self.configuration(key: self.plainKey, .file(file))))
    }

    @Test("An encrypted key is refused without asking for its passphrase, and the remedy is named")
    func noPassphrase() throws {
        let key = try self.encryptedKey()
        for name in [key, "file:\(key)"] {
            let error = try self.refusal(self.configuration(key: name))
            #expect(error.file == name)
            #expect(error.message.hasPrefix("the key is encrypted and no passphrase is configured"))
            #expect(error.message.contains("openssl pkey"))
        }
    }

    @Test("A wrong passphrase is refused, and its place is named", arguments: ["wrong", "correct horse\n\n", " "])
    func wrongPassphrase(content: String) throws {
        let key = try self.encryptedKey()
        let file = try self.file("passphrase", content)
        for name in [key, "file:\(key)"] {
            let error = try self.refusal(self.configuration(key: name, .file(file)))
            #expect(error.file == name)
            let beginning = "the key cannot be decrypted with the passphrase from the file \(file); is it the right"
            #expect(error.message.hasPrefix(beginning), "\(error)")
        }
    }

    @Test("A passphrase that is missing, empty or too long is refused, and its place is named")
    func unusablePassphrase() throws {
        let key = try self.encryptedKey()
        let missing = PassphraseSource.file("/nonexistent/passphrase")
        let message = "the file with the key's passphrase cannot be opened: No such file or directory"
        #expect(try self.refusal(self.configuration(key: key, missing)).message == message)
        let directory = try self.refusal(self.configuration(key: key, .file(self.directory)))
        #expect(directory.message.hasPrefix("the file with the key's passphrase cannot be read"))
        for content in ["", "\n"] {
            let file = try self.file("passphrase", content)
            #expect(try self.refusal(self.configuration(key: key, .file(file))).message.contains("is empty"))
        }
        let unset = try self.refusal(self.configuration(key: key, .environment("IPC_GATEWAY_TEST_UNSET")))
        #expect(unset.message.hasPrefix("the environment variable IPC_GATEWAY_TEST_UNSET"))
        let longest = try self.file("longest", String(repeating: "x", count: 1024) + "\n")
        #expect(try self.refusal(self.configuration(key: key, .file(longest))).message.contains("the right one"))
        let long = try self.file("long", String(repeating: "x", count: 1025))
        #expect(try self.refusal(self.configuration(key: key, .file(long))).message.contains("more than the 1024"))
    }

    // MARK: URIs

    @Test("Certificates, keys and lists can be given as file URIs")
    func fileURIs() throws {
        let authority = try TestAuthority()
        _ = try authority.intermediate("middle")
        let alice = try authority.client("alice", issuer: "middle")
        try authority.writeRevocationList()
        let files = try authority.server(issuer: "middle")
        for beginning in ["file:", "file://", "file://localhost", "FILE:"] {
            var server = TLSConfiguration(role: .server)
            server.certificateChainFile = beginning + files.certificate
            server.privateKeyFile = beginning + files.key
            server.trustAnchorsFile = beginning + authority.caFile
            server.revocationListsFile = beginning + authority.crlFile
            let pair = try TLSPair(server: server, client: authority.clientConfiguration(alice))
            #expect(pair.handshake(), "\(String(describing: pair.server.error))")
        }
        let identity = try CertificateIdentity.load(certificateFile: "file:\(alice.certificate)")
        #expect(identity.commonNames == ["alice"])
    }

    @Test("What a URI does not lead to is named")
    func badURIs() throws {
        let certificate = try #require(self.server.certificateChainFile)
        let missing = try self.refusal(self.configuration(key: "file:/nonexistent/key.pem"))
        #expect(missing.file == "file:/nonexistent/key.pem")
        #expect(missing.message.hasPrefix("no private key can be read"))
        #expect(try self.refusal(self.configuration(key: "file:\(certificate)")).message == "holds no private key")
        var configuration = self.server
        configuration.trustAnchorsFile = "file:\(self.plainKey)"
        #expect(try self.refusal(configuration).message == "holds no certificate")
        let good = try String(contentsOfFile: self.authority.caFile, encoding: .utf8)
        let bad = "-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n"
        configuration.trustAnchorsFile = "file:" + (try self.file("bundle.pem", good + bad))
        #expect(try self.refusal(configuration).message.hasPrefix("no certificate number 2 can be read"))
        configuration.trustAnchorsFile = "file:" + self.directory
        #expect(try self.refusal(configuration).message == "holds no certificate")
    }

    @Test("A token without a provider for tokens is refused with what to configure, and without its PIN")
    func tokens() throws {
        let uri = "pkcs11:token=gateway;object=server;type=private?pin-value=1234"
        let error = try self.refusal(self.configuration(key: uri))
        #expect(error.message.contains("pkcs11-provider") && error.message.contains("OPENSSL_CONF"))
        #expect(error.file == "pkcs11:token=gateway;object=server;type=private?pin-value=…")
    }

    @Test("A name with a colon is a path unless OpenSSL has a store for it")
    func plainPaths() throws {
        for path in ["x:key.pem", "my.keys:server.pem", ":", "/tmp/file:key.pem", "no-such-scheme:key", "k\u{e9}y:a"] {
            #expect(StoreURI(path) == nil)
        }
        #expect(StoreURI("file:key.pem")?.path == "key.pem")
        #expect(StoreURI("file:///a/key.pem")?.path == "/a/key.pem")
        #expect(StoreURI("pkcs11:object=key")?.path == nil)
    }

    // MARK: Who may read

    @Test("A key or passphrase that others can read is used, and noted with what to do")
    func modes() throws {
        let content = try String(contentsOfFile: self.plainKey, encoding: .utf8)
        for (mode, text) in [(0o644, "0644"), (0o640, "0640"), (0o620, "0620"), (0o604, "0604")] {
            let key = try self.file("key-\(text).pem", content, mode: mode)
            let passphrase = try self.file("passphrase-\(text)", "x", mode: mode)
            for name in [key, "file:\(key)"] {
                let notes = try TLSContext(self.configuration(key: name, .file(passphrase))).notes
                let beginning = "\(key): others than its owner can read or write the private key"
                #expect(notes.contains("\(beginning) (mode \(text)); chmod 600 \(key)"))
                #expect(notes.contains { $0.contains("the key's passphrase (mode \(text)); chmod 600 \(passphrase)") })
            }
        }
        for mode in [0o600, 0o400, 0o700] {
            let key = try self.file("key-\(mode).pem", content, mode: mode)
            #expect(try !TLSContext(self.configuration(key: key)).notes.contains { $0.contains("chmod") })
        }
    }
}
