// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// JSON up to a bound, and what becomes of it beyond.
struct AuditJSON {
    private let bound: Int
    private var bytes: [UInt8] = []
    /// Whether nothing more is taken, because the bound is reached or there is no more to read.
    private(set) var isStopped = false

    init(bound: Int) {
        self.bound = bound
    }

    /// Takes nothing more: what is there is a beginning only.
    mutating func stop() {
        isStopped = true
    }

    mutating func append(_ text: String) {
        guard !isStopped else { return }
        bytes.append(contentsOf: text.utf8)
        check()
    }

    /// A number, or a word.
    mutating func append(_ value: IPCValue) {
        guard !isStopped else { return }
        JSONText.append(value, to: &bytes)
        check()
    }

    mutating func append(text: Span<UInt8>) {
        guard !isStopped else { return }
        // More of it would be cut; one byte more shows that there is more.
        let end = AuditText.cut(text, at: bound + 1)
        AuditText.append(text.extracting(..<end), to: &bytes)
        check()
    }

    /// A buffer as base64, or its size where that has no room.
    mutating func append(buffer: Span<UInt8>, isWhole: Bool) {
        guard !isStopped else { return }
        let room = bound - bytes.count - 14
        guard isWhole, (buffer.count + 2) / 3 * 4 <= room else {
            append(#"{"$bufferBytes":\#(buffer.count)}"#)
            if !isWhole { stop() }
            return
        }
        append(#"{"$buffer":""#)
        Self.appendBase64(buffer, to: &bytes)
        append("\"}")
    }

    private mutating func check() {
        if bytes.count > bound { isStopped = true }
    }

    /// The JSON, or `{"$cut":TEXT}`.
    func finish() -> [UInt8] {
        guard isStopped else { return bytes }
        var output = Array(#"{"$cut":"#.utf8)
        output.reserveCapacity(bytes.count + 32)
        let text = bytes.span
        AuditText.append(text.extracting(..<AuditText.cut(text, at: bound)), to: &output)
        output.append(UInt8(ascii: "}"))
        return output
    }

    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Base64 (RFC 4648) with padding.
    private static func appendBase64(_ buffer: Span<UInt8>, to output: inout [UInt8]) {
        for start in stride(from: 0, to: buffer.count, by: 3) {
            let count = min(3, buffer.count - start)
            var group = UInt32(buffer[start]) << 16
            if count > 1 { group |= UInt32(buffer[start + 1]) << 8 }
            if count > 2 { group |= UInt32(buffer[start + 2]) }
            for place in 0..<4 {
                let digit = digits[Int(group >> UInt32(18 - 6 * place) & 0x3f)]
                output.append(place <= count ? digit : UInt8(ascii: "="))
            }
        }
    }
}
