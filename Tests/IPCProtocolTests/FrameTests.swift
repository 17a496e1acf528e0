// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol
import Testing

@Suite("Frames")
struct FrameTests {
    /// Feeds chunks; returns the frames with the index of the chunk that completed them, and what is left.
    private func decode(
        _ chunks: [[UInt8]],
        limits: IPCLimits = IPCLimits(),
        dialect: FrameDecoder.Dialect = .any
    ) throws(WireError) -> (frames: [(chunk: Int, frame: Frame)], left: Int) {
        var decoder = FrameDecoder(limits: limits, dialect: dialect)
        var frames: [(Int, Frame)] = []
        for (index, chunk) in chunks.enumerated() {
            decoder.append(chunk.span)
            while let frame = try decoder.next() {
                frames.append((index, frame))
            }
        }
        return (frames, decoder.bufferedByteCount)
    }

    @Test("are written and read as recorded")
    func cases() throws {
        let cases = try Vectors.frames().cases
        #expect(cases.count == 12)
        for vector in cases {
            let frame = try vector.frame()
            let bytes = try vector.bytes()
            #expect(frame.encoded() == bytes)
            #expect(FrameHeader(bytes.span) == frame.header)
            #expect(try decode([bytes]).frames.map(\.frame) == [frame])
        }
    }

    @Test("come out of a stream with the chunk that completes them, however the stream is cut")
    func streams() throws {
        let streams = try Vectors.frames().streams
        #expect(streams.count == 9)
        for stream in streams {
            let chunks = try stream.chunks()
            let expected = try stream.messages.map { try $0.frame() }
            let taken = expected.reduce(0) { $0 + FrameHeader.byteCount + $1.body.count }
            let all = Array(chunks.joined())

            let recorded = try decode(chunks)
            #expect(recorded.frames.map(\.frame) == expected, "\(stream.name)")
            #expect(recorded.frames.map(\.chunk) == stream.messages.map(\.afterChunk), "\(stream.name)")
            for pieces in [chunks, [all], all.map { [$0] }] {
                let result = try decode(pieces)
                #expect(result.frames.map(\.frame) == expected, "\(stream.name)")
                #expect(result.left == all.count - taken, "\(stream.name)")
            }
        }
    }

    @Test("arrive whole from a long stream cut at random, and the buffer does not grow")
    func longStream() throws {
        var generator = SeededGenerator(seed: 11)
        let frames = (0..<2_000).map { index in
            Frame(
                type: .regular,
                id: UInt32(index),
                body: Array(repeating: UInt8(index % 251), count: .random(in: 0...600, using: &generator))
            )
        }
        let bytes = frames.flatMap { $0.encoded() }
        var decoder = FrameDecoder()
        var received: [Frame] = []
        var position = 0
        while position < bytes.count {
            let end = min(bytes.count, position + .random(in: 1...3_000, using: &generator))
            decoder.append(bytes.span.extracting(position..<end))
            position = end
            while let frame = try decoder.next() {
                received.append(frame)
            }
            #expect(decoder.bufferedByteCount < 700)
        }
        #expect(received == frames)
    }

    @Test("of 4 GiB are refused by their header alone, and the decoder stays failed")
    func tooLarge() throws {
        var decoder = FrameDecoder()
        let header = try [UInt8](hex: "01 00000000 00000000 ffffffff")
        decoder.append(header.span.extracting(first: 12))
        #expect(try decoder.next() == nil)
        decoder.append(header.span.extracting(last: 1))
        let expected = WireError(.frameTooLarge, at: 9, found: 4_294_967_295, allowed: 16_777_216)
        for _ in 0..<2 {
            #expect(throws: expected) { try decoder.next() }
            decoder.append(Frame.regular([1, 0]).encoded().span)
        }
        #expect(decoder.bufferedByteCount == 0)
    }

    @Test("are accepted up to the limit exactly")
    func limit() throws {
        let limits = IPCLimits(frameBytes: 10)
        #expect(try decode([Frame.regular(Array(repeating: 0, count: 10)).encoded()], limits: limits).frames.count == 1)
        let error = wireError { () throws(WireError) in
            _ = try decode([Frame.regular(Array(repeating: 0, count: 11)).encoded()], limits: limits)
        }
        #expect(error?.code == .frameTooLarge)
    }

    @Test("of the plain protocol are Regular, without sequence numbers")
    func plain() throws {
        for type in UInt8.min...UInt8.max where type != FrameType.regular.rawValue {
            let frame = Frame(type: FrameType(rawValue: type))
            let error = wireError { () throws(WireError) in _ = try decode([frame.encoded()], dialect: .plain) }
            #expect(error == WireError(.unexpectedFrameType, at: 0, found: Int(type)))
        }
        for frame in [Frame(type: .regular, id: 1), Frame(type: .regular, ack: 1)] {
            let error = wireError { () throws(WireError) in _ = try decode([frame.encoded()], dialect: .plain) }
            #expect(error?.code == .unexpectedSequence)
        }
        #expect(try decode([Frame.regular([0]).encoded()], dialect: .plain).frames.count == 1)
    }

    @Test("have no header in fewer than 13 bytes")
    func shortHeader() {
        let bytes = [UInt8](repeating: 1, count: 13)
        #expect(FrameHeader(bytes.span.extracting(first: 12)) == nil)
        #expect(FrameHeader(bytes.span)?.length == 0x0101_0101)
    }
}
