// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import TLSEngine

/// Encrypting at one end and decrypting at the other, over memory.
struct TLSRecords: Benchmark {
    let name: String
    let operation: String
    let operations: Int
    // OpenSSL may be another one, and chooses its code by the processor.
    let margin = 0.30
    private let message: [UInt8]
    private var plaintext: [UInt8]
    private let client: End
    private let server: End

    private struct End {
        let session: TLSSession
        let output = TLSOutput()

        init(_ configuration: TLSConfiguration, serverName: String? = nil) throws {
            session = try TLSSession(context: TLSContext(configuration), output: output, serverName: serverName)
        }

        /// What the other end has sent goes into the handshake.
        func handshake(_ other: End) throws {
            try other.output.withUnsafeBytes { bytes in
                try session.withInput(bytes) { _ = try session.handshake() }
            }
            other.output.consume(other.output.count)
        }
    }

    init(byteCount: Int, _ certificate: Certificate) throws {
        name = "tls-\(byteCount)"
        operation = "encrypt \(byteCount) bytes (TLS 1.3, AES-128-GCM) and decrypt them at the other end"
        operations = byteCount > 10_000 ? 64 : 1_000
        message = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }
        // As in the gateway there is room for what a record has beside its data.
        plaintext = [UInt8](repeating: 0, count: byteCount + 16 * 1024)
        var configuration = TLSConfiguration(role: .client, trustAnchorsFile: certificate.file)
        configuration.cipherSuites = ["TLS_AES_128_GCM_SHA256"]
        client = try End(configuration, serverName: Certificate.serverName)
        configuration.role = .server
        configuration.trustAnchorsFile = nil
        configuration.requireClientCertificate = false
        configuration.certificateChainFile = certificate.file
        configuration.privateKeyFile = certificate.key
        server = try End(configuration)
        for _ in 0..<3 {
            try client.handshake(server)
            try server.handshake(client)
        }
        guard client.session.isHandshakeComplete, server.session.isHandshakeComplete else {
            throw Failure("the TLS handshake does not end")
        }
    }

    mutating func run(_ operations: Int) throws -> Int {
        var right = 0
        for _ in 0..<operations {
            plaintext[message.count - 1] = 0
            try message.withUnsafeBytes { try client.session.write($0) }
            let outcome = try client.output.withUnsafeBytes { ciphertext in
                try plaintext.withUnsafeMutableBytes { plaintext in
                    try server.session.withInput(ciphertext) { try server.session.read(into: plaintext) }
                }
            }
            client.output.consume(client.output.count)
            if outcome == .bytes(message.count), plaintext[message.count - 1] == message.last { right += 1 }
        }
        return right
    }
}
