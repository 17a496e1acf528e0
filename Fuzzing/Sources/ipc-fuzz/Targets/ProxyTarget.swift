// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

@testable import GatewayCore

/// Headers of the PROXY protocol: however they are cut, one reading, and the one that an independent reader has.
enum ProxyTarget {
    private typealias Reading = Result<ProxyHeader.Reading, ProxyHeaderRefusal>

    static func run(_ input: [UInt8]) {
        var reader = InputReader(input)
        let sizes = reader.piece()
        let bytes = reader.rest()
        var together = Reading { () throws(ProxyHeaderRefusal) in try ProxyHeader.read(bytes.span) }
        // The defect: a byte or two behind the last extension are let be.
        if Target.isSpoiled, case .failure(.extensions) = together, bytes.count > 17, bytes[15] % 4 != 0 {
            let header = ProxyHeader(ends: nil, isLocal: false)
            together = .success(.complete(header, byteCount: 16 + Int(bytes[14]) << 8 + Int(bytes[15])))
        }
        require(together == inPieces(bytes, sizes), "pieces make no difference")
        switch (together, Expected(bytes)) {
        case (.failure, .refused), (.success(.incomplete), .incomplete): break
        case (.success(.complete(let header, let count)), .complete(let end, let isLocal, let address)):
            require(count == end && count <= ProxyHeader.longest, "the header ends at \(end), not at \(count)")
            require(header.isLocal == isLocal, "LOCAL is LOCAL")
            require(
                header.ends.map { Array("\($0.source)".utf8) } == address,
                "the client's address is the same to both"
            )
        default:
            require(false, "\(together) is what an independent reader has")
        }
        if case .success(.complete(_, let end)) = together, end > 16 {
            let cut = Reading { () throws(ProxyHeaderRefusal) in
                try ProxyHeader.read(bytes.span.extracting(..<(end - 1)))
            }
            require(cut == .success(.incomplete), "a header is not complete before its last byte")
        }
    }

    /// The same, taken in pieces of the given sizes, and then of one byte.
    private static func inPieces(_ bytes: [UInt8], _ sizes: [UInt8]) -> Reading {
        var reader = ProxyHeaderReader()
        var position = 0
        var piece = 0
        while position < bytes.count, reader.header == nil {
            let size = piece < sizes.count ? Int(sizes[piece]) + 1 : 1
            piece += 1
            let end = min(bytes.count, position + size)
            do throws(ProxyHeaderRefusal) {
                position += try reader.receive(bytes.span.extracting(position..<end))
            } catch {
                return .failure(error)
            }
        }
        guard let header = reader.header else { return .success(.incomplete) }
        return .success(.complete(header, byteCount: position))
    }

    /// What the specification says, read backwards from the whole.
    private enum Expected {
        case refused
        case incomplete
        case complete(end: Int, isLocal: Bool, address: [UInt8]?)

        init(_ bytes: [UInt8]) {
            let signature = Array("\r\n\r\n\0\r\nQUIT\n".utf8)
            guard bytes.starts(with: signature) else {
                let begins = signature.starts(with: bytes) || Array("PROXY".utf8).starts(with: bytes)
                self = begins ? .incomplete : .refused
                return
            }
            let head = bytes.dropFirst(12).prefix(4)
            let local = head.first == 0x20
            let sizes: [UInt8: Int] = [0x00: 0, 0x11: 12, 0x21: 36]
            if let command = head.first, command != 0x20, command != 0x21 {
                self = .refused
                return
            }
            if head.count > 1, !local, sizes[bytes[13]] == nil {
                self = .refused
                return
            }
            guard head.count == 4 else {
                self = .incomplete
                return
            }
            let length = Int(bytes[14]) * 256 + Int(bytes[15])
            let addresses = local ? 0 : sizes[bytes[13]] ?? 0
            guard length <= 2032, length >= addresses else {
                self = .refused
                return
            }
            guard bytes.count >= 16 + length else {
                self = .incomplete
                return
            }
            let header = Array(bytes[..<(16 + length)])
            let isWalked = !local || bytes[13] == 0
            guard !isWalked || Self.areExtensions(header, header[(16 + addresses)...]) else {
                self = .refused
                return
            }
            let port = addresses == 0 ? 0 : Int(header[12 + addresses]) * 256 + Int(header[13 + addresses])
            let address: String? =
                switch addresses {
                case 12: header[16..<20].map { "\($0)" }.joined(separator: ".") + ":\(port)"
                case 36:
                    "["
                        + IPAddress(bits: header[16..<32].reduce(0) { $0 * 256 + UInt128($1) }, isIPv6: true)
                        .description
                        + "]:\(port)"
                default: nil
                }
            self = .complete(end: header.count, isLocal: local, address: address.map { Array($0.utf8) })
        }

        private static func areExtensions(_ header: [UInt8], _ rest: ArraySlice<UInt8>) -> Bool {
            var rest = rest
            var sums: [ArraySlice<UInt8>] = []
            while let type = rest.popFirst() {
                guard let high = rest.popFirst(), let low = rest.popFirst() else { return false }
                let value = rest.prefix(Int(high) * 256 + Int(low))
                guard value.count == Int(high) * 256 + Int(low) else { return false }
                rest = rest.dropFirst(value.count)
                if type == 3 { sums.append(value) }
            }
            guard let sum = sums.first else { return true }
            guard sums.count == 1, sum.count == 4 else { return false }
            var zeroed = header
            for place in sum.indices { zeroed[place] = 0 }
            return Array(sum) == checksum(zeroed)
        }

        /// By polynomial division of the bits, most significant first, of reflected bytes.
        private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
            var bits: [Bool] = []
            for byte in bytes {
                for place in 0..<8 { bits.append(byte >> UInt8(place) & 1 == 1) }
            }
            bits.append(contentsOf: [Bool](repeating: false, count: 32))
            for place in 0..<32 { bits[place].toggle() }
            let divisor = (0..<32).map { (0x1EDC_6F41 as UInt32) >> UInt32(31 - $0) & 1 == 1 }
            for place in 0..<(bits.count - 32) where bits[place] {
                for offset in 0..<32 where divisor[offset] { bits[place + 1 + offset].toggle() }
            }
            var number: UInt32 = 0
            for (place, bit) in bits.suffix(32).enumerated() where !bit { number |= 1 << UInt32(place) }
            return (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * $0)) }
        }
    }
}
