// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Decoding frames as the library does: each body becomes an array for whoever takes it.
struct DecodedFrames: Benchmark {
    let name: String
    let operation: String
    let operations = 6_400
    private let count: Int
    private let bytes: [UInt8]
    private var decoder = FrameDecoder(dialect: .plain)

    init(count: Int) {
        self.count = count
        name = "frame-decoder-\(count)"
        operation = "the same with `FrameDecoder`, which hands out the body as an array, \(count) in the buffer"
        bytes = Array((0..<count).map { _ in Sample.call }.joined())
    }

    mutating func run(_ operations: Int) throws -> Int {
        let bytes = bytes
        var right = 0
        for _ in 0..<operations / count {
            decoder.append(bytes.span)
            while let frame = try decoder.next() {
                if frame.body.count == Sample.frameBytes - FrameHeader.byteCount { right += 1 }
            }
        }
        return right
    }
}
