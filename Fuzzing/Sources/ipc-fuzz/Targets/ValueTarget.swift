// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Values: two strict readers of ours and an independent one agree; what is read is written in one form only.
enum ValueTarget {
    private static let limits = IPCLimits(valueDepth: 20, valueElements: 200, jsonDepth: 24)

    static func run(_ input: [UInt8]) {
        let value = strict(input)
        let isValid = (try? ValueWalker.validate(input.span, limits: limits)) != nil
        require((value != nil) == isValid, "the walker accepts what the decoder accepts")
        var reader = StrictReader(input, limits: limits)
        let tree = reader.readOnly()
        require((tree != nil) == isValid, "an independent reader accepts the same")
        let lenient = try? ValueDecoder(mode: .lenient, limits: limits).decode(input.span)
        guard let value, let tree else { return }
        require(tree.equals(value), "an independent reader reads \(tree), not \(value)")
        require(lenient.map { tree.equals($0) } == true, "the lenient reader reads strict input the same way")
        let written = ValueEncoder.encode(value)
        // JSON has many spellings; all else has one.
        if !reader.hasJSON { require(written == input, "what is read is written as it was") }
        let again = try? ValueDecoder(mode: .strict, limits: IPCLimits()).decode(written.span)
        require(again.map { ValueEncoder.encode($0) } == written, "what is written is read as what it is")
    }

    private static func strict(_ input: [UInt8]) -> IPCValue? {
        do throws(WireError) {
            return try ValueDecoder(limits: limits).decode(input.span)
        } catch {
            // The defect: a length may be written in more bytes than it needs.
            return Target.isSpoiled && error.code == .nonCanonicalLength ? .undefined : nil
        }
    }
}
