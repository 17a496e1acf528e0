// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// A header of the PROXY protocol, version 2: what a balancer says, before anything else, of the client that it connects.
///
/// The format is that of HAProxy's doc/proxy-protocol.txt, §2.2. It is read strictly: one reading, or a refusal with a
/// name. Extensions (TLVs) are walked, so that nothing is left over; but for the checksum they have no effect.
public struct ProxyHeader: Sendable, Hashable {
    /// An end of a connection.
    public struct Endpoint: Sendable, Hashable, CustomStringConvertible {
        /// The address.
        public var address: IPAddress
        /// The port.
        public var port: UInt16

        /// `address:port`, with brackets around an IPv6 address.
        public var description: String { address.isIPv6 ? "[\(address)]:\(port)" : "\(address):\(port)" }
    }

    /// The two ends of a connection that was passed on.
    public struct Ends: Sendable, Hashable {
        /// The client.
        public var source: Endpoint
        /// Where it connected to.
        public var destination: Endpoint
    }

    /// What the beginning of a connection is.
    public enum Reading: Sendable, Hashable {
        /// Too little to tell; what has come may be the beginning of a header.
        case incomplete
        /// A header of so many bytes.
        case complete(ProxyHeader, byteCount: Int)
    }

    /// The bytes that every header begins with.
    public static let signature: [UInt8] = [
        0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A,
    ]
    /// The signature, version and command, family and transport, and the length of the rest.
    static let fixedByteCount = 16
    /// The longest header that is read, in bytes.
    public static let longest = 2048

    /// The client's connection; nil when the header does not say (LOCAL, as in a health check, and unspecified families).
    public var ends: Ends?
    /// Whether the balancer speaks for itself, as in a health check.
    public var isLocal: Bool

    /// Reads the header that a connection begins with.
    ///
    /// A refusal is final: more bytes lead to the same one.
    ///
    /// - Parameter bytes: What has come so far.
    /// - Throws: Why it is no header that is believed.
    public static func read(_ bytes: Span<UInt8>) throws(ProxyHeaderRefusal) -> Reading {
        try checkSignature(bytes)
        guard bytes.count > 12 else { return .incomplete }
        guard bytes[12] >> 4 == 2 else { throw .version }
        let command = bytes[12] & 0x0F
        guard command <= 1 else { throw .command }
        let isLocal = command == 0
        guard bytes.count > 13 else { return .incomplete }
        let family = bytes[13]
        let addressCount: Int
        switch (isLocal, family) {
        case (_, 0x00): addressCount = 0
        // Whatever family it has, what follows is to be ignored.
        case (true, _): addressCount = 0
        case (false, 0x11): addressCount = 4
        case (false, 0x21): addressCount = 16
        default: throw .family
        }
        guard bytes.count >= fixedByteCount else { return .incomplete }
        let end = fixedByteCount + (Int(bytes[14]) << 8 | Int(bytes[15]))
        let addressEnd = fixedByteCount + (addressCount == 0 ? 0 : 2 * addressCount + 4)
        guard end <= longest, end >= addressEnd else { throw .length }
        guard bytes.count >= end else { return .incomplete }
        var header = ProxyHeader(ends: nil, isLocal: isLocal)
        if isLocal, family != 0 { return .complete(header, byteCount: end) }
        try checkExtensions(bytes.extracting(..<end), from: addressEnd)
        header.ends = ends(bytes, addressCount)
        return .complete(header, byteCount: end)
    }

    private static func checkSignature(_ bytes: Span<UInt8>) throws(ProxyHeaderRefusal) {
        for index in 0..<min(bytes.count, signature.count) where bytes[index] != signature[index] {
            // Version 1 is told from anything else by its first word.
            let word: [UInt8] = [0x50, 0x52, 0x4F, 0x58, 0x59, 0x20]
            for (place, letter) in word.enumerated() {
                guard place < bytes.count else { return }
                guard bytes[place] == letter else { throw .missing }
            }
            throw .text
        }
    }

    private static func ends(_ bytes: Span<UInt8>, _ count: Int) -> Ends? {
        func port(_ place: Int) -> UInt16 { UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1]) }
        let start = fixedByteCount
        guard count > 0, let source = IPAddress(bytes: bytes.extracting(start..<start + count)),
            let destination = IPAddress(bytes: bytes.extracting(start + count..<start + 2 * count))
        else { return nil }
        let ports = start + 2 * count
        return Ends(
            source: Endpoint(address: source, port: port(ports)),
            destination: Endpoint(address: destination, port: port(ports + 2))
        )
    }

    /// A checksum over the whole header, in which its own four bytes count as zeros.
    private static let checksumType: UInt8 = 0x03

    private static func checkExtensions(_ header: Span<UInt8>, from start: Int) throws(ProxyHeaderRefusal) {
        var position = start
        var checksum: Int?
        while position < header.count {
            guard header.count - position >= 3 else { throw .extensions }
            let length = Int(header[position + 1]) << 8 | Int(header[position + 2])
            guard length <= header.count - position - 3 else { throw .extensions }
            if header[position] == checksumType {
                guard length == 4, checksum == nil else { throw .extensions }
                checksum = position + 3
            }
            position += 3 + length
        }
        guard let checksum else { return }
        var expected: UInt32 = 0
        var actual = CRC32C()
        for index in header.indices {
            let isOwn = (checksum..<checksum + 4).contains(index)
            if isOwn { expected = expected << 8 | UInt32(header[index]) }
            actual.update(isOwn ? 0 : header[index])
        }
        guard actual.value == expected else { throw .checksum }
    }
}
