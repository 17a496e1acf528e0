// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@testable import TLSEngine

@Suite struct CertificateIdentityTests {
    let authority: TestAuthority

    init() throws {
        self.authority = try TestAuthority.shared()
    }

    @Test("All values of all fields are there, in the certificate's order")
    func fields() throws {
        let files = try self.authority.client(
            "full",
            commonName: "Full Näme",
            organizationalUnits: ["dev", "ops, night"],
            uris: ["spiffe://example.org/dev/full", "https://example.org/a?b=$c,d#e"],
            dns: ["Full.Example.ORG", "*.example.org"],
            emails: ["full@example.org", "F@example.org"],
            ips: ["10.0.0.1", "2001:db8:0:0:1:0:0:1"]
        )
        let identity = try CertificateIdentity.load(certificateFile: files.certificate)
        #expect(identity.commonNames == ["Full Näme"])
        #expect(identity.organizationalUnits == ["dev", "ops, night"])
        #expect(identity.uris == ["spiffe://example.org/dev/full", "https://example.org/a?b=$c,d#e"])
        #expect(identity.dnsNames == ["full.example.org", "*.example.org"])
        #expect(identity.emailAddresses == ["full@example.org", "F@example.org"])
        #expect(identity.ipAddresses == ["10.0.0.1", "2001:db8::1:0:0:1"])
        #expect(identity.subject == "CN=Full Näme,OU=ops\\, night,OU=dev")
        #expect(identity.issuer == "CN=Test CA")
        #expect(identity.description.hasPrefix("CN=Full Näme"))
    }

    @Test("Fingerprints and serial number are those that openssl shows")
    func fingerprints() throws {
        let files = try self.authority.client("alice")
        let identity = try CertificateIdentity.load(certificateFile: files.certificate)
        let shown = try Self.openssl(["x509", "-in", files.certificate, "-noout", "-fingerprint", "-sha256", "-serial"])
        let words = shown.split(whereSeparator: \.isNewline).compactMap { $0.split(separator: "=").last }
        #expect(identity.fingerprint == words[0].replacing(":", with: "").lowercased())
        #expect(identity.serialNumber == words[1].lowercased())
        #expect(identity.publicKeyFingerprint.count == 64)
        #expect(identity.publicKeyFingerprint != identity.fingerprint)
    }

    @Test("The public key's fingerprint stays when a certificate is renewed with the same key")
    func publicKeyFingerprint() throws {
        let files = try self.authority.client("alice")
        let identity = try CertificateIdentity.load(certificateFile: files.certificate)
        let renewed = files.certificate + ".renewed"
        _ = try Self.openssl([
            "req", "-x509", "-key", files.key, "-subj", "/CN=alice", "-out", renewed, "-days", "1",
        ])
        defer { try? FileManager.default.removeItem(atPath: renewed) }
        let other = try CertificateIdentity.load(certificateFile: renewed)
        #expect(other.publicKeyFingerprint == identity.publicKeyFingerprint)
        #expect(other.fingerprint != identity.fingerprint)
    }

    @Test("The period of validity is inclusive, in Unix seconds")
    func period() throws {
        let files = try self.authority.client("dated", notBefore: "20200101000000Z", notAfter: "21000228235959Z")
        let identity = try CertificateIdentity.load(certificateFile: files.certificate)
        #expect(identity.notBefore == 1_577_836_800)
        #expect(identity.notAfter == 4_107_542_399)
        #expect(identity.isValid(at: identity.notBefore))
        #expect(!identity.isValid(at: identity.notBefore - 1))
        #expect(identity.isValid(at: identity.notAfter))
        #expect(!identity.isValid(at: identity.notAfter + 1))
    }

    @Test("A file in DER form gives the same identity as in PEM form")
    func der() throws {
        let files = try self.authority.client("alice")
        let der = files.certificate + ".der"
        try Self.derForm(of: files.certificate).write(to: URL(fileURLWithPath: der))
        defer { try? FileManager.default.removeItem(atPath: der) }
        #expect(
            try CertificateIdentity.load(certificateFile: der)
                == CertificateIdentity.load(certificateFile: files.certificate)
        )
    }

    @Test(
        "A certificate with a NUL or control character in a name is refused, and the field named",
        arguments: [
            ("cn#ink", "common name"), ("ou#ink", "organizational unit"), ("dns#ink", "DNS name"), ("uri:#ink", "URI"),
            ("mail#ink@example.org", "e-mail address"),
        ],
        [0, 10, 0x7f, 0x80] as [UInt8]
    )
    func controlCharacters(place: (value: String, field: String), replacement: UInt8) throws {
        let (value, field) = place
        let files = try self.authority.client(
            "inked",
            commonName: "cn#ink",
            organizationalUnits: ["ou#ink"],
            uris: ["uri:#ink"],
            dns: ["dns#ink"],
            emails: ["mail#ink@example.org"]
        )
        #expect(throws: Never.self) { try CertificateIdentity.load(certificateFile: files.certificate) }
        // The signature no longer holds, but nobody asks for it here.
        var der = try Self.derForm(of: files.certificate)
        let range = try #require(der.range(of: Data(value.utf8)))
        let ink = try #require(der[range].firstIndex(of: UInt8(ascii: "#")))
        der[ink] = replacement
        let changed = "\(self.authority.directory)/inked-\(UUID().uuidString).der"
        try der.write(to: URL(fileURLWithPath: changed))
        defer { try? FileManager.default.removeItem(atPath: changed) }
        let error = #expect(throws: TLSConfigurationError.self) {
            try CertificateIdentity.load(certificateFile: changed)
        }
        #expect(error?.file == changed)
        let message = try #require(error?.message)
        // OpenSSL itself refuses a subject that is not UTF-8.
        let isUnreadable = replacement == 0x80 && message == "is not a readable DER certificate"
        #expect(message.contains(field) || isUnreadable, "\(message)")
        if replacement == 0 {
            #expect(message.contains("NUL"))
        }
    }

    // MARK: Pure functions

    @Test("Names are read strictly, in each of the encodings")
    func text() throws {
        #expect(try CertificateText.decode(Array("é".utf8), as: .utf8, field: "f") == "é")
        #expect(try CertificateText.decode([0, 0x61, 0x20, 0xac], as: .utf16BigEndian, field: "f") == "a€")
        #expect(try CertificateText.decode([0, 1, 0xf6, 0], as: .utf32BigEndian, field: "f") == "😀")
        let refused: [([UInt8], CertificateText.Kind?)] = [
            ([], .utf8), ([0x61], nil), ([0xff], .utf8), ([0xc0, 0x80], .utf8), ([0xe9], .ascii),
            ([0x61, 0, 0x62], .ascii), ([0, 0x61, 0], .utf16BigEndian), ([0xd8, 0], .utf16BigEndian),
            ([0, 0x11, 0, 0], .utf32BigEndian), ([0, 0, 0, 0], .utf32BigEndian), ([0x61, 0x20], .asciiWithoutSpace),
            (Array("a\u{202e}b".utf8), .utf8), (Array("a\u{85}b".utf8), .utf8), (Array("a\u{2028}".utf8), .utf8),
        ]
        for (bytes, kind) in refused {
            let error = #expect(throws: TLSError.self) { try CertificateText.decode(bytes, as: kind, field: "f") }
            #expect(error?.code == .badCertificate)
        }
        #expect(CertificateText.escapingControls("Zoë\u{202e}\u{1b}[2J") == "Zoë\\u{202e}\\u{1b}[2J")
        #expect(CertificateText.asciiLowercased("ÄbC.Org") == "Äbc.org")
    }

    @Test("IPv6 addresses have the one form of RFC 5952")
    func addresses() {
        let cases: [([UInt16], String)] = [
            ([0, 0, 0, 0, 0, 0, 0, 0], "::"),
            ([0, 0, 0, 0, 0, 0, 0, 1], "::1"),
            ([1, 0, 0, 0, 0, 0, 0, 0], "1::"),
            ([0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
            ([0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"),
            ([0x2001, 0, 0, 1, 0, 0, 0, 1], "2001:0:0:1::1"),
            ([1, 2, 3, 4, 5, 6, 0, 0], "1:2:3:4:5:6::"),
            ([1, 2, 3, 4, 5, 6, 7, 0xABCD], "1:2:3:4:5:6:7:abcd"),
            ([0, 0, 0, 0, 0, 0xffff, 0x0102, 0x0304], "::ffff:1.2.3.4"),
        ]
        for (groups, text) in cases {
            let bytes = groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
            #expect(IPAddressText.format(bytes) == text)
        }
        #expect(IPAddressText.format([192, 0, 2, 1]) == "192.0.2.1")
        #expect(IPAddressText.format([1, 2, 3, 4, 5, 6, 7, 8]) == nil)
        #expect(IPAddressText.format([]) == nil)
    }

    @Test(
        "Times are written as ISO 8601",
        arguments: [
            (Int64(0), "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_827_696, "2000-02-29T12:34:56Z"),
            (1_767_225_600, "2026-01-01T00:00:00Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"), (-62_167_219_200, "0000-01-01T00:00:00Z"),
        ]
    )
    func times(seconds: Int64, text: String) {
        #expect(UTCTime.format(seconds) == text)
    }

    // MARK: Tools

    private static func derForm(of pemFile: String) throws -> Data {
        let lines = try String(contentsOfFile: pemFile, encoding: .utf8).split(whereSeparator: \.isNewline)
        let body = lines.drop { $0 != "-----BEGIN CERTIFICATE-----" }.dropFirst().prefix { !$0.hasPrefix("-----END") }
        return try #require(Data(base64Encoded: body.joined()))
    }

    private static func openssl(_ arguments: [String]) throws -> String {
        let process = Process()
        let words = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = words
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = try words.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return String(decoding: text, as: UTF8.self)
    }
}
