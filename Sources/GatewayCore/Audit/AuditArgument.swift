// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Renders encoded arguments as JSON that is safe to keep: redacted, cut, and never read in a way that the server might
/// not share.
///
/// Work and memory are bounded by the bound on the text, not by the argument.
struct AuditArgument {
    /// Bytes of JSON at most.
    private let bound: Int
    /// JSON texts longer than this are not read.
    private let longestJSON: Int
    private let redact: [ArgumentPath]

    // The tags of the encoding (PROTOCOL 2), which IPCProtocol does not show.
    private static let undefinedTag: UInt8 = 0
    private static let stringTag: UInt8 = 1
    private static let bufferTags: ClosedRange<UInt8> = 2...3
    private static let arrayTag: UInt8 = 4
    private static let objectTag: UInt8 = 5
    private static let intTag: UInt8 = 6

    init(bound: Int, redact: [ArgumentPath]) {
        self.bound = bound
        self.redact = redact
        longestJSON = 4 * bound + 256
    }

    /// The JSON of an encoded value. Where its end is missing, or the JSON is longer than allowed, it is `{"$cut":TEXT}`,
    /// with the beginning of the JSON as a text.
    func render(_ argument: Span<UInt8>) -> [UInt8] {
        var output = AuditJSON(bound: bound)
        var offset = 0
        render(argument, at: &offset, AuditRedaction(redact), depth: 0, to: &output)
        return output.finish()
    }

    private func render(
        _ bytes: Span<UInt8>,
        at offset: inout Int,
        _ redaction: AuditRedaction,
        depth: Int,
        to output: inout AuditJSON
    ) {
        guard offset < bytes.count, depth < IPCLimits.deepestNesting else { return output.stop() }
        if redaction.coversAll {
            output.append(AuditRedaction.replacement)
            // What follows it is found by walking over it.
            return skip(bytes, at: &offset, to: &output)
        }
        let tag = bytes[offset]
        offset += 1
        switch tag {
        case Self.undefinedTag:
            output.append("null")
        case Self.intTag:
            guard let number = try? VQL.read(bytes, at: &offset) else { return output.stop() }
            output.append("\(number)")
        case Self.arrayTag:
            guard let count = try? VQL.readCount(bytes, at: &offset) else { return output.stop() }
            output.append("[")
            for index in 0..<count {
                guard !output.isStopped else { return }
                if index > 0 { output.append(",") }
                render(bytes, at: &offset, redaction.element(index), depth: depth + 1, to: &output)
            }
            output.append("]")
        case Self.stringTag, Self.bufferTags, Self.objectTag:
            guard let count = try? VQL.readCount(bytes, at: &offset) else { return output.stop() }
            let end = offset + min(count, bytes.count - offset)
            renderExtent(tag, bytes.extracting(offset..<end), isWhole: end - offset == count, redaction, to: &output)
            offset = end
        default:
            output.stop()
        }
    }

    private func renderExtent(
        _ tag: UInt8,
        _ bytes: Span<UInt8>,
        isWhole: Bool,
        _ redaction: AuditRedaction,
        to output: inout AuditJSON
    ) {
        switch tag {
        case Self.stringTag:
            output.append(text: bytes)
            if !isWhole { output.stop() }
        case Self.objectTag:
            renderObject(bytes, isWhole: isWhole, redaction, to: &output)
        default:
            output.append(buffer: bytes, isWhole: isWhole)
        }
    }

    private func renderObject(
        _ text: Span<UInt8>,
        isWhole: Bool,
        _ redaction: AuditRedaction,
        to output: inout AuditJSON
    ) {
        guard isWhole, text.count <= longestJSON else {
            output.append(#"{"$unreadable":"long"}"#)
            if !isWhole { output.stop() }
            return
        }
        let depth = IPCLimits.deepestNesting
        guard let value = UnambiguousJSON.parse(text, in: 0..<text.count, maxDepth: depth) else {
            return output.append(#"{"$unreadable":"ambiguous"}"#)
        }
        render(value, redaction, to: &output)
    }

    private func render(_ value: IPCValue, _ redaction: AuditRedaction, to output: inout AuditJSON) {
        guard !output.isStopped else { return }
        if redaction.coversAll { return output.append(AuditRedaction.replacement) }
        switch value {
        case .string(let text):
            output.append(text: text.wtf8.span)
        case .array(let elements):
            output.append("[")
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(",") }
                render(element, redaction.element(index), to: &output)
            }
            output.append("]")
        case .object(let object):
            output.append("{")
            for (index, member) in object.members.enumerated() {
                if index > 0 { output.append(",") }
                output.append(text: member.key.wtf8.span)
                output.append(":")
                render(member.value, redaction.member(member.key), to: &output)
            }
            output.append("}")
        case .undefined, .null, .bool, .int, .number, .buffer, .vsBuffer:
            output.append(value)
        }
    }

    private func skip(_ bytes: Span<UInt8>, at offset: inout Int, to output: inout AuditJSON) {
        var elements = 0
        let limits = IPCLimits(valueDepth: .max, valueElements: .max, jsonDepth: .max)
        do throws(WireError) {
            try ValueWalker.skipValue(in: bytes, at: &offset, limits: limits, elements: &elements)
        } catch {
            output.stop()
        }
    }
}
