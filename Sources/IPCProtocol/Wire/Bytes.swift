// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// Creates an array from a part of a span.
    ///
    /// - Parameters:
    ///   - bytes: The span.
    ///   - range: The part, which must lie inside.
    public init(copying bytes: Span<UInt8>, in range: Range<Int>) {
        let part = bytes.extracting(range)
        self.init(capacity: part.count) { output in
            for index in part.indices {
                output.append(part[index])
            }
        }
    }

    /// Appends a part of a span.
    ///
    /// - Parameters:
    ///   - bytes: The span.
    ///   - range: The part, which must lie inside.
    public mutating func append(copying bytes: Span<UInt8>, in range: Range<Int>) {
        let part = bytes.extracting(range)
        append(addingCapacity: part.count) { output in
            for index in part.indices {
                output.append(part[index])
            }
        }
    }
}
