// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@Suite("The gateway's key", .blocking)
struct KeyTests {
    private static let passphrase = "correct horse"

    /// The server's files, with an encrypted key.
    private static func encrypted(_ directory: TemporaryDirectory) throws -> CertificateFiles {
        var files = try TestAuthority.shared().server()
        let key = directory.file("encrypted-key.pem")
        let openssl = try ChildProcess([
            "openssl", "pkey", "-in", files.key, "-aes256", "-passout", "pass:\(Self.passphrase)", "-out", key,
        ])
        #expect(try openssl.wait() == 0)
        files.key = key
        return files
    }

    @Test("can be encrypted, with its passphrase in a file")
    func passphraseFile() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("\(Self.passphrase)\n", to: "passphrase")
        let files = try Self.encrypted(directory)
        let bench = try GatewayBench {
            $0.certificate = files
            $0.tls = ["keyPassphrase": "{ file: \(file) }"]
        }
        #expect(try bench.open().ending == nil)
    }

    @Test("needs the right passphrase, and the error says which file or variable to look at")
    func wrongPassphrase() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("wrong\n", to: "passphrase")
        let files = try Self.encrypted(directory)
        var configuration = GatewayConfigurationText(
            certificate: files,
            clientCA: try TestAuthority.shared().caFile,
            upstreams: [.init(path: "x.sock")]
        )
        for (member, words) in [("{ file: \(file) }", file), ("{ environment: NO_SUCH_VARIABLE }", "NO_SUCH_VARIABLE")]
        {
            configuration.tls = ["keyPassphrase": member]
            let yaml = try directory.write(configuration.yaml, to: "gateway.yaml")
            let check = try ChildProcess([try GatewayProcess.program(), "check", "--config", yaml])
            #expect(try check.wait() == 78)
            #expect(check.errors.contains(words), "\(check.errors)")
        }
    }

    @Test("and certificate can be store URIs")
    func storeURI() throws {
        let bench = try GatewayBench {
            $0.certificate.certificate = "file:\($0.certificate.certificate)"
            $0.certificate.key = "file:\($0.certificate.key)"
        }
        #expect(try bench.open().ending == nil)
    }

    @Test("log is written for its owner only, and said loudly")
    func keyLog() throws {
        let directory = try TemporaryDirectory()
        let file = directory.file("keys.log")
        let bench = try GatewayBench { $0.tls = ["keyLog": file] }
        _ = try bench.open()
        let text = try String(contentsOfFile: file, encoding: .utf8)
        #expect(text.contains("CLIENT_TRAFFIC_SECRET_0 "))
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(bench.gateway.log.contains { $0["message"]?.contains(file) == true })
    }

    @Test("that others may read is taken with a warning")
    func mode() throws {
        let directory = try TemporaryDirectory()
        let key = directory.file("open-key.pem")
        try FileManager.default.copyItem(atPath: try TestAuthority.shared().server().key, toPath: key)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
        let bench = try GatewayBench { $0.certificate.key = key }
        #expect(try bench.open().ending == nil)
        #expect(bench.gateway.log.contains { $0["message"]?.contains("chmod 600") == true }, "\(bench.gateway.log)")
    }

    @Test("and everything else that is wrong with certificates is reported at once")
    func allAtOnce() throws {
        let directory = try TemporaryDirectory()
        let authority = try TestAuthority.shared()
        var files = try authority.server()
        files.key = "missing-key.pem"
        var configuration = GatewayConfigurationText(
            certificate: files,
            clientCA: "missing-ca.pem",
            upstreams: [.init(path: "x.sock")]
        )
        configuration.tls = ["groups": "[NO-SUCH-GROUP]"]
        let yaml = try directory.write(configuration.yaml, to: "gateway.yaml")
        let check = try ChildProcess([try GatewayProcess.program(), "check", "--config", yaml])
        #expect(try check.wait() == 78)
        for word in ["missing-key.pem", "missing-ca.pem", "NO-SUCH-GROUP", "3 problems"] {
            #expect(check.errors.contains(word), "\(word) in \(check.errors)")
        }
    }
}
