// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Certificates as bytes.
public enum CertificateDER {
    /// The first certificate of a PEM file.
    public static func read(_ file: String) throws -> [UInt8] {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let lines = text.split(separator: "\n").drop { $0 != "-----BEGIN CERTIFICATE-----" }.dropFirst()
        let body = lines.prefix { $0 != "-----END CERTIFICATE-----" }.joined()
        guard let data = Data(base64Encoded: body), !data.isEmpty else { throw TestSupportError("no PEM: \(file)") }
        return Array(data)
    }
}
