// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Whatever the input")
struct PropertyTests {
    @Test("an encoded value is accepted, and decoding and encoding it again changes nothing")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<5_000 {
            let bytes = ValueEncoder.encode(generator.value())
            #expect(walkError(bytes) == nil)
            let decoded = try ValueDecoder().decode(bytes.span)
            #expect(ValueEncoder.encode(decoded) == bytes)
            #expect(try ValueDecoder().decode(ValueEncoder.encode(decoded).span) == decoded)
            #expect(try ValueDecoder(mode: .lenient).decode(bytes.span) == decoded)
        }
    }

    @Test("walker and decoders agree on what a value is and where it ends, however it is damaged")
    func mutation() {
        var generator = SeededGenerator(seed: 2)
        var accepted = 0
        for _ in 0..<40_000 {
            let bytes = generator.mutated(ValueEncoder.encode(generator.value(depth: 3)))
            accepted += checkAgreement(bytes) ? 1 : 0
        }
        // The damage is neither always fatal nor always harmless, or nothing would have been tested.
        #expect(accepted > 2_000 && accepted < 38_000, "\(accepted)")
    }

    @Test("random bytes harm nobody")
    func noise() {
        var generator = SeededGenerator(seed: 4)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
                UInt8(truncatingIfNeeded: generator.next()) & (Bool.random(using: &generator) ? 0x07 : 0xff)
            }
            _ = checkAgreement(bytes)
            _ = inspectError(bytes)
            _ = wireError { () throws(WireError) in _ = try IPCMessage.decode(bytes, mode: .lenient) }
        }
    }

    @Test("inspection and decoding of a message agree, however it is damaged")
    func messages() throws {
        var generator = SeededGenerator(seed: 5)
        var accepted = 0
        for _ in 0..<20_000 {
            let id = UInt64(generator.next() >> 11)
            let message = generator.mutated(
                Bool.random(using: &generator)
                    ? IPCMessage.call(id: id, channel: "ch", command: "cmd", argument: generator.value(depth: 2))
                    : IPCMessage.success(id: id & 0xff, result: generator.value(depth: 2))
            )
            let inspected = inspectError(message)
            let decoded = wireError { () throws(WireError) in _ = try IPCMessage.decode(message) }
            #expect(inspected == decoded)
            guard inspected == nil else { continue }
            accepted += 1
            #expect(try IPCMessage.decode(message, mode: .lenient) == IPCMessage.decode(message))
        }
        #expect(accepted > 500, "\(accepted)")
    }

    @Test("frames cut out of noise never exceed the limit")
    func frames() {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<2_000 {
            var decoder = FrameDecoder(limits: IPCLimits(frameBytes: 64))
            for _ in 0..<20 {
                let chunk = (0..<Int.random(in: 0...30, using: &generator)).map { _ in UInt8(generator.next() % 3) }
                decoder.append(chunk.span)
                let failed = wireError { () throws(WireError) in
                    while let frame = try decoder.next() {
                        #expect(frame.body.count <= 64)
                    }
                }
                #expect(failed == nil || decoder.bufferedByteCount == 0)
            }
        }
    }

    /// Checks one input; returns whether its first value was accepted.
    private func checkAgreement(_ bytes: [UInt8]) -> Bool {
        var walkerEnd = 0
        var elements = 0
        let walked = wireError { () throws(WireError) in
            try ValueWalker.skipValue(in: bytes.span, at: &walkerEnd, limits: IPCLimits(), elements: &elements)
        }
        var strictEnd = 0
        var strict: IPCValue?
        let refused = wireError { () throws(WireError) in
            strict = try ValueDecoder().decodePrefix(bytes.span, at: &strictEnd)
        }
        var lenientEnd = 0
        var lenient: IPCValue?
        _ = wireError { () throws(WireError) in
            lenient = try ValueDecoder(mode: .lenient).decodePrefix(bytes.span, at: &lenientEnd)
        }
        #expect(walked == refused, "\(bytes)")
        if let walked {
            #expect(walked.offset >= 0 && walked.offset <= bytes.count)
            return false
        }
        #expect(walkerEnd == strictEnd && walkerEnd == lenientEnd && walkerEnd > 0, "\(bytes)")
        #expect(strict == lenient, "\(bytes)")
        return true
    }
}
