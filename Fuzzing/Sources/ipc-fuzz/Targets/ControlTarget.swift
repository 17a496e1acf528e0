// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Control messages: what is understood can be written, always fits into a frame, and is understood again.
enum ControlTarget {
    static func run(_ input: [UInt8]) {
        var isFailure = false
        do {
            check(try SessionControl(input))
        } catch {
            isFailure = true
            require(error.code == .malformed || error.code == .unsupportedVersion, "it is refused by name: \(error)")
        }
        var json = StrictJSON(input, maxDepth: 8)
        if case .object? = json.readOnly() {} else { require(isFailure, "only an object is understood") }
        // The same input as what a gateway wants to say.
        let text = String(decoding: input.dropFirst(), as: UTF8.self)
        check(.goAway(reason: text))
        check(.error(SessionCode(rawValue: "limit"), reason: text))
        if let token = SessionToken(text) {
            require(token.description.utf8.elementsEqual(text.utf8), "a token is its text")
        }
    }

    private static func check(_ message: SessionControl) {
        var written = message.encoded()
        // The defect: a backslash is not escaped.
        if Target.isSpoiled, let place = written.firstIndex(of: UInt8(ascii: "\\")) { written.remove(at: place) }
        require(written.count <= SessionSettings().controlBytes, "it fits into a frame")
        var json = StrictJSON(written)
        require(json.readOnly() != nil, "it is JSON")
        guard let again = try? SessionControl(written) else { fatalError("does not hold: it is understood again") }
        require(again.encoded() == message.encoded(), "it is understood as what it was")
    }
}
