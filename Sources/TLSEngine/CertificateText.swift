// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The strict reading of names in certificates.
///
/// What one program shows cut at a NUL and another in full, or what reorders the text around it, is a way to look like
/// somebody else, so such names are refused instead of repaired.
enum CertificateText {
    /// How the bytes of a name are to be read.
    enum Kind {
        case ascii
        case asciiWithoutSpace
        case utf8
        case utf16BigEndian
        case utf32BigEndian
    }

    /// - Parameter kind: Nil when the certificate uses a string type without an agreed meaning.
    /// - Throws: `.badCertificate` with the field's name.
    static func decode(_ bytes: [UInt8], as kind: Kind?, field: String) throws(TLSError) -> String {
        guard !bytes.isEmpty else {
            throw Self.refusal(field, "is empty")
        }
        guard let kind, let text = Self.text(bytes, kind) else {
            throw Self.refusal(field, "is not decodable text")
        }
        for scalar in text.unicodeScalars {
            if scalar.value == 0 {
                throw Self.refusal(field, "contains a NUL character")
            }
            if Self.isControl(scalar) || (kind == .asciiWithoutSpace && scalar == " ") {
                let number = String(scalar.value, radix: 16, uppercase: true)
                throw Self.refusal(field, "contains the control or space character U+\(number)")
            }
        }
        return text
    }

    /// DNS names are compared without regard to the case of ASCII letters, and of no others.
    static func asciiLowercased(_ text: String) -> String {
        let upper = UInt8(ascii: "A")...UInt8(ascii: "Z")
        return String(decoding: text.utf8.map { upper.contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// Text for people out of a name that nobody has checked: what could disturb a terminal or a log is shown as
    /// `\u{…}`.
    static func escapingControls(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            if Self.isControl(scalar) {
                escaped += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func refusal(_ field: String, _ what: String) -> TLSError {
        TLSError(code: .badCertificate, message: "the certificate's \(field) \(what)")
    }

    private static func text(_ bytes: [UInt8], _ kind: Kind) -> String? {
        switch kind {
        case .ascii, .asciiWithoutSpace:
            return bytes.allSatisfy { $0 < 0x80 } ? String(decoding: bytes, as: UTF8.self) : nil
        case .utf8:
            return String(validating: bytes, as: UTF8.self)
        case .utf16BigEndian:
            guard bytes.count.isMultiple(of: 2) else {
                return nil
            }
            let units = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
            return String(validating: units, as: UTF16.self)
        case .utf32BigEndian:
            guard bytes.count.isMultiple(of: 4) else {
                return nil
            }
            let units = stride(from: 0, to: bytes.count, by: 4).map { start in
                bytes[start..<start + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            }
            return String(validating: units, as: UTF32.self)
        }
    }

    /// C0, DEL, C1, line and paragraph separators, and the characters that change the direction of text.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1f, 0x7f...0x9f, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff: true
        default: false
        }
    }
}
