// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import Testing

@testable import IPCTransport

@Suite("The Control frame that tells why a connection is refused")
struct RefusalFrameTests {
    @Test("is one that is understood, however long the reason is", arguments: ["x", "ä", "\u{1}", "\"", "🦆"])
    func longReason(character: String) throws {
        let reason = String(repeating: character, count: 5_000)
        let end = try #require(ConnectionEnd(controlFrame: ConnectionEnd.controlFrame(code: "limit", reason: reason)))
        #expect(end.reason.hasPrefix(character))
        #expect(end.reason.hasSuffix(" (limit)"))
    }
}
