// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The parts of a SPIFFE id, `spiffe://trust.domain/path` (SPIFFE-ID standard, section 2).
struct SPIFFEID: Hashable {
    /// Who vouches for the id.
    let trustDomain: String
    /// Whom it names: empty, or with a slash before each segment.
    let path: String

    /// Reads an id; nil when the text breaks a rule of the standard, in capitals for instance, or with `..` in its path.
    init?(_ uri: String) {
        let bytes = Array(uri.utf8)
        let scheme = "spiffe://".utf8
        guard bytes.count <= 2048, bytes.starts(with: scheme) else { return nil }
        let rest = bytes.dropFirst(scheme.count)
        let domain = rest.prefix { $0 != UInt8(ascii: "/") }
        let path = rest.dropFirst(domain.count)
        guard (1...255).contains(domain.count), domain.allSatisfy(Self.isDomainCharacter) else { return nil }
        for segment in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
            let isDots = segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8)
            guard !segment.isEmpty, !isDots, segment.allSatisfy(Self.isSegmentCharacter) else { return nil }
        }
        trustDomain = String(decoding: domain, as: UTF8.self)
        self.path = String(decoding: path, as: UTF8.self)
    }

    private static func isDomainCharacter(_ byte: UInt8) -> Bool {
        isSegmentCharacter(byte) && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isSegmentCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default:
            "-._".utf8.contains(byte)
        }
    }
}
