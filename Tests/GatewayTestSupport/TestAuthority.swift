// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
public import TLSEngine

/// The two files of a certificate, by their absolute paths.
public struct CertificateFiles: Sendable, Hashable {
    /// PEM: the certificate, then its intermediate if it has one.
    public var certificate: String
    /// PEM: its private key.
    public var key: String

    /// Names two files.
    public init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// What a certificate is made for; see `certs/dev-ca.sh`.
public enum CertificatePurpose: String, Sendable {
    /// Only for servers.
    case server
    /// Only for clients.
    case client
    /// No extended key usage at all, which allows every use.
    case none
}

/// Why `certs/dev-ca.sh` refused or failed.
public struct TestAuthorityError: Error, CustomStringConvertible {
    /// What the script said.
    public var description: String
}

/// A certificate authority that is made in the test run, by `certs/dev-ca.sh`, and removed with its directory.
///
/// May be used from many tests at once. Asking twice for the same certificate gives the same files.
public final class TestAuthority: Sendable {
    /// The directory of the authority.
    public let directory: String
    /// PEM: the authority's own certificate.
    public var caFile: String { self.directory + "/ca.pem" }
    /// PEM: the revocation lists, after `writeRevocationList()`.
    public var crlFile: String { self.directory + "/ca.crl" }

    private let issued = Mutex<[[String]: CertificateFiles]>([:])

    private static let sharedResult: Result<TestAuthority, any Error> = Result {
        let authority = try TestAuthority()
        // The shared one lives as long as the process, so its `deinit` never runs.
        atexit {
            try? TestAuthority.sharedResult.get().removeDirectory()
        }
        return authority
    }

    /// One authority for all tests that need nothing special, made when it is first asked for.
    public static func shared() throws -> TestAuthority {
        try Self.sharedResult.get()
    }

    /// A new authority in a temporary directory.
    public init(name: String = "Test CA") throws {
        let temporary = FileManager.default.temporaryDirectory.path
        self.directory = "\(temporary)/ipc-gateway-ca-\(UUID().uuidString)"
        try self.run(["init", self.directory, "--name", name])
    }

    deinit {
        self.removeDirectory()
    }

    /// A client's certificate. Times are `YYYYMMDDHHMMSSZ` or relative to now (`-1d`, `+1h`).
    public func client(
        _ name: String,
        commonName: String? = nil,
        organizationalUnits: [String] = [],
        uris: [String] = [],
        dns: [String] = [],
        emails: [String] = [],
        ips: [String] = [],
        notBefore: String? = nil,
        notAfter: String? = nil,
        purpose: CertificatePurpose = .client,
        issuer: String? = nil
    ) throws -> CertificateFiles {
        var options = ["client", self.directory, name, "--purpose", purpose.rawValue]
        options += ["--cn", commonName ?? name] + Self.option("--ou", organizationalUnits)
        options += Self.option("--uri", uris) + Self.option("--dns", dns) + Self.option("--email", emails)
        options += Self.option("--ip", ips) + Self.period(notBefore, notAfter)
        options += Self.option("--issuer", [issuer].compactMap(\.self))
        return try self.issue(name, options)
    }

    /// A server's certificate, for the given names and addresses.
    public func server(
        _ name: String = "server",
        dns: [String] = ["localhost"],
        ips: [String] = ["127.0.0.1", "::1"],
        notBefore: String? = nil,
        notAfter: String? = nil,
        purpose: CertificatePurpose = .server,
        issuer: String? = nil
    ) throws -> CertificateFiles {
        var options = ["server", self.directory, name, "--purpose", purpose.rawValue]
        options += Self.option("--dns", dns) + Self.option("--ip", ips) + Self.period(notBefore, notAfter)
        options += Self.option("--issuer", [issuer].compactMap(\.self))
        return try self.issue(name, options)
    }

    /// An intermediate authority, to be named as `issuer`.
    public func intermediate(_ name: String) throws -> CertificateFiles {
        try self.issue(name, ["intermediate", self.directory, name])
    }

    /// Revokes a certificate by its name; `writeRevocationList` makes it known.
    public func revoke(_ name: String) throws {
        try self.run(["revoke", self.directory, name])
    }

    /// Writes `crlFile` with everything that is revoked by now.
    public func writeRevocationList(notAfter: String? = nil) throws {
        try self.run(["crl", self.directory] + Self.option("--not-after", [notAfter].compactMap(\.self)))
    }

    /// Runs `certs/dev-ca.sh`.
    ///
    /// - Throws: `TestAuthorityError` with the script's words when it fails.
    public func run(_ arguments: [String]) throws {
        try Self.runScript(arguments)
    }

    private func issue(_ name: String, _ arguments: [String]) throws -> CertificateFiles {
        try self.issued.withLock { issued in
            if let files = issued[arguments] {
                return files
            }
            // Somebody else may have asked for the same name with other options: each gets files of its own.
            var name = name
            var options = arguments
            let others = issued.keys.count { $0[2] == name }
            if others > 0 {
                name += "-\(others + 1)"
                options[2] = name
            }
            try self.run(options)
            let files = CertificateFiles(
                certificate: "\(self.directory)/\(name).pem",
                key: "\(self.directory)/\(name)-key.pem"
            )
            issued[arguments] = files
            return files
        }
    }

    private func removeDirectory() {
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    private static func option(_ name: String, _ values: [String]) -> [String] {
        values.flatMap { [name, $0] }
    }

    private static func period(_ notBefore: String?, _ notAfter: String?) -> [String] {
        self.option("--not-before", [notBefore].compactMap(\.self))
            + self.option("--not-after", [notAfter].compactMap(\.self))
    }

    private static func runScript(_ arguments: [String]) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let words = FileManager.default.temporaryDirectory.appendingPathComponent("dev-ca-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: words) }
        // A file instead of a pipe: another child started at the same moment would hold the pipe open.
        try Data().write(to: words)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["bash", root.appendingPathComponent("certs/dev-ca.sh").path] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: words)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw TestAuthorityError(description: try String(contentsOf: words, encoding: .utf8))
        }
    }
}

// MARK: Configurations

extension TestAuthority {
    /// A server that trusts this authority, with the certificate `server` for localhost unless another is given.
    public func serverConfiguration(_ files: CertificateFiles? = nil) throws -> TLSConfiguration {
        let files = try files ?? self.server()
        return TLSConfiguration(
            role: .server,
            certificateChainFile: files.certificate,
            privateKeyFile: files.key,
            trustAnchorsFile: self.caFile
        )
    }

    /// A client that trusts this authority, with a certificate or without.
    public func clientConfiguration(_ files: CertificateFiles?) -> TLSConfiguration {
        TLSConfiguration(
            role: .client,
            certificateChainFile: files?.certificate,
            privateKeyFile: files?.key,
            trustAnchorsFile: self.caFile
        )
    }
}
