// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Frames come out the same however the stream is cut, and as a reader of a few lines finds them.
enum FrameTarget {
    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        let choice = reader.byte()
        let seed = reader.byte()
        let stream = reader.rest()
        let limits = IPCLimits(frameBytes: 300)
        var settings = SessionSettings(mode: choice & 4 == 0 ? .strict : .lenient, limits: limits)
        settings.controlBytes = 40
        let dialect: FrameDecoder.Dialect =
            switch choice % 3 {
            case 0: .any
            case 1: .plain
            default: .persistent(settings)
            }
        let whole = decode(stream, limits, dialect) { stream.count }
        var step = seed
        let inPieces = decode(stream, limits, dialect) {
            step = (step * 37 + 11) % 251
            return step % 17
        }
        require(whole == inPieces, "frames do not depend on the cuts: \(whole), \(inPieces)")
        require(whole.frames.flatMap { $0.encoded() } == Array(stream.prefix(whole.byteCount)), "frames are the stream")
        let expected = simple(stream, plain: choice % 3 == 1, any: choice % 3 == 0, limit: limits.frameBytes)
        if let expected { require(expected == whole.frames, "the frames are \(expected), not \(whole.frames)") }
    }

    private struct Outcome: Equatable {
        var frames: [Frame] = []
        var failed = false
        var byteCount: Int { frames.reduce(0) { $0 + FrameHeader.byteCount + $1.body.count } }
    }

    private static func decode(
        _ stream: [UInt8],
        _ limits: IPCLimits,
        _ dialect: FrameDecoder.Dialect,
        _ nextCount: () -> Int
    ) -> Outcome {
        var decoder = FrameDecoder(limits: limits, dialect: dialect)
        var outcome = Outcome()
        var start = 0
        repeat {
            let end = min(stream.count, start + nextCount())
            // The defect: an empty piece is taken for the end of a frame.
            if Target.isSpoiled, start == end, !outcome.frames.isEmpty { return outcome }
            decoder.append(stream.span.extracting(start..<end))
            start = end
            do {
                while let frame = try decoder.next() { outcome.frames.append(frame) }
                require(decoder.bufferedByteCount == start - outcome.byteCount, "all bytes are frames or kept")
            } catch {
                outcome.failed = true
                return outcome
            }
        } while start < stream.count
        return outcome
    }

    /// The frames of the dialects that are easily said; nil for the others.
    private static func simple(_ stream: [UInt8], plain: Bool, any: Bool, limit: Int) -> [Frame]? {
        guard plain || any else { return nil }
        func number(_ place: Int) -> UInt32 { stream[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) } }
        var frames: [Frame] = []
        var place = 0
        while stream.count - place >= 13 {
            let (type, id, ack) = (stream[place], number(place + 1), number(place + 5))
            let length = Int(number(place + 9))
            if length > limit || plain && (type != 1 || id != 0 || ack != 0) { break }
            guard stream.count - place - 13 >= length else { break }
            let body = Array(stream[place + 13..<place + 13 + length])
            frames.append(Frame(type: FrameType(rawValue: type), id: id, ack: ack, body: body))
            place += 13 + length
        }
        return frames
    }
}
