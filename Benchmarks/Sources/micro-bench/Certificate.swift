// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A certificate of the moment, which is its own authority.
struct Certificate {
    static let serverName = "localhost"

    /// PEM: the certificate.
    let file: String
    /// PEM: its key.
    let key: String

    /// The one in a folder.
    init(in folder: String) {
        file = folder + "/certificate.pem"
        key = folder + "/key.pem"
    }

    /// Makes it, with the openssl command.
    func make() throws {
        var words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        words += ["-subj", "/CN=\(Self.serverName)", "-addext", "subjectAltName=DNS:\(Self.serverName)"]
        words += ["-days", "2", "-keyout", key, "-out", file]
        _ = try Program.run(words)
    }
}
