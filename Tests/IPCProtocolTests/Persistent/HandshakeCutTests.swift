// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("A connection that is cut between connect, ok and the context")
struct HandshakeCutTests {
    /// Plays connections that are cut at the given places, then one that is not.
    private static func play(_ cuts: [HandshakeModel.Cut], _ name: String) {
        var model = HandshakeModel()
        for cut in cuts { model.connect(cut) }
        // The first may only learn that the session is not there any more.
        for _ in 0..<2 where !model.isSettled { model.connect(nil) }
        model.checkEnd()
        #expect(model.problem == nil, "\(name): \(cuts)")
    }

    /// How many bytes there are in each direction without a cut.
    private static func lengths() -> [Int] {
        var model = HandshakeModel()
        model.connect(nil)
        return model.carried
    }

    @Test("at any byte of either direction leaves no session behind that has no context, and loses or repeats nothing")
    func everyByte() {
        let lengths = Self.lengths()
        // connect, ok and the context take some thirty bytes each.
        #expect(lengths.allSatisfy { $0 > 140 }, "\(lengths)")
        for side in 0...1 {
            for bytes in 0...lengths[side] { Self.play([.init(side: side, bytes: bytes)], "one cut") }
        }
    }

    @Test("at any byte, and then again at any of the connections that follow, does so too", arguments: 0..<4)
    func manyCuts(part: UInt64) {
        let lengths = Self.lengths()
        for seed in part * 500..<(part + 1) * 500 {
            var generator = SeededGenerator(seed: seed)
            let cuts = (0..<Int.random(in: 2...5, using: &generator)).map { _ in
                let side = Int.random(in: 0...1, using: &generator)
                return HandshakeModel.Cut(side: side, bytes: .random(in: 0...lengths[side], using: &generator))
            }
            Self.play(cuts, "seed \(seed)")
        }
    }
}
