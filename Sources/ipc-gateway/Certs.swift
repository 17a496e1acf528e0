// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import TLSEngine

/// `ipc-gateway certs`.
struct Certs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at certificates.",
        subcommands: [Inspect.self]
    )

    /// `ipc-gateway certs inspect`.
    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the identity that a certificate gives.",
            discussion: """
                Each line is a field that identity.from: and clients: can use, and its value.

                Example: ipc-gateway certs inspect alice.pem
                """
        )

        @Argument(help: "A certificate, PEM or DER; of several in a PEM file the first.")
        var file: String

        func run() throws {
            let identity: CertificateIdentity
            do {
                identity = try CertificateIdentity.load(certificateFile: file)
            } catch {
                Console.complain("error: \(error)")
                throw ExitCode.failure
            }
            var lines: [(String, String)] = []
            for field in IdentityField.ofCertificates {
                lines += field.values(in: identity).map { (field.rawValue, $0) }
            }
            lines.append(("serial", identity.serialNumber))
            lines.append(("subject", identity.subject))
            lines.append(("issuer", identity.issuer))
            lines.append(("notBefore", UTCTime.format(identity.notBefore)))
            lines.append(("notAfter", UTCTime.format(identity.notAfter)))
            let width = lines.map(\.0.count).max() ?? 0
            for (name, value) in lines {
                Console.say(name + String(repeating: " ", count: width - name.count + 2) + value)
            }
        }
    }
}
