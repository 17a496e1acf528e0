// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import TLSEngine

/// Text of strangers, made safe and short enough for a log line.
enum LogText {
    /// At most 100 characters, with everything but printable characters escaped.
    static func quoted(_ text: String) -> String {
        var result = ""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            if count == 100 { return result + "…" }
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static let mostNames = 12

    /// What a client's identity offers, for a person who wonders why nothing matched.
    static func names(of identity: PeerIdentity) -> String {
        switch identity {
        case .certificate(let certificate): names(of: certificate)
        case .local(let peer): names(of: peer)
        }
    }

    private static func names(of peer: LocalPeer) -> String {
        let groups = peer.groupIDs.prefix(mostNames).map { "'\($0)'" }.joined(separator: ", ")
        let more = peer.groupIDs.count > mostNames ? " and \(peer.groupIDs.count - mostNames) more" : ""
        let executable =
            switch peer.executable {
            case .path(let path): "executable '\(quoted(path))'"
            case .unchecked(let path): "executable '\(quoted(path))', not verified"
            case .unknown(let reason): "executable unknown: \(quoted(reason))"
            }
        let group = groups.isEmpty ? "" : "gid \(groups)\(more), "
        return "uid '\(peer.userID)', \(group)\(executable)"
    }

    /// The names a certificate offers, for a person who wonders why none matched.
    private static func names(of identity: CertificateIdentity) -> String {
        var names: [String] = []
        for field in IdentityField.ofCertificates where field != .publicKey && field != .fingerprint {
            names += field.values(in: identity).map { "\(field.rawValue) '\(quoted($0))'" }
        }
        if names.count > mostNames { names = names.prefix(mostNames) + ["and \(names.count - mostNames) more"] }
        return names.isEmpty ? "it names nobody; fingerprint \(identity.fingerprint)" : names.joined(separator: ", ")
    }
}
