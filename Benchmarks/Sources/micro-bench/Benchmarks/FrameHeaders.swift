// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Cutting frames out of a buffer in place, as the gateway does.
struct FrameHeaders: Benchmark {
    let name: String
    let operation: String
    let operations = 6_400
    private let count: Int
    private let bytes: [UInt8]
    private let limits = IPCLimits()

    init(count: Int) {
        self.count = count
        name = "frame-header-\(count)"
        operation = "cut out and judge a frame of \(Sample.frameBytes) bytes, \(count) in the buffer"
        bytes = Array((0..<count).map { _ in Sample.call }.joined())
    }

    func run(_ operations: Int) throws -> Int {
        var right = 0
        for _ in 0..<operations / count {
            let span = bytes.span
            var position = 0
            while let header = FrameHeader(span.extracting(position...)) {
                try header.validatePlain(limits: limits)
                position += FrameHeader.byteCount + header.bodyLength
                if header.bodyLength == Sample.frameBytes - FrameHeader.byteCount { right += 1 }
            }
        }
        return right
    }
}
