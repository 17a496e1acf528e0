// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Testing

@testable import GatewayCore

@Suite("A header of the PROXY protocol")
struct ProxyHeaderTests {
    private static func read(_ bytes: [UInt8]) -> Result<ProxyHeader.Reading, ProxyHeaderRefusal> {
        Result { () throws(ProxyHeaderRefusal) in try ProxyHeader.read(bytes.span) }
    }

    /// The same, from pieces.
    private static func readPieces(_ bytes: [UInt8], of size: Int) -> Result<ProxyHeader.Reading, ProxyHeaderRefusal> {
        var reader = ProxyHeaderReader()
        var position = 0
        do throws(ProxyHeaderRefusal) {
            while position < bytes.count, reader.header == nil {
                let piece = Array(bytes[position..<min(bytes.count, position + size)])
                position += try reader.receive(piece.span)
            }
        } catch {
            return .failure(error)
        }
        guard let header = reader.header else { return .success(.incomplete) }
        return .success(.complete(header, byteCount: position))
    }

    private static func source(_ bytes: [UInt8]) throws -> String? {
        guard case .complete(let header, bytes.count) = try ProxyHeader.read(bytes.span) else { return nil }
        return header.ends.map { "\($0.source) > \($0.destination)" }
    }

    // MARK: What is read

    @Test("says who the client is, over IPv4 and IPv6")
    func addresses() throws {
        #expect(try Self.source(ProxyHeaderBytes.v4()) == "203.0.113.7:40312 > 192.0.2.1:7443")
        #expect(try Self.source(ProxyHeaderBytes.v6()) == "[2001:db8::7]:40312 > [2001:db8::1]:7443")
    }

    @Test("is read as HAProxy 2.6 has sent it, with a checksum and a unique id")
    func recorded() throws {
        let ends: [UInt8] = [0x7F, 0, 0, 2, 0x7F, 0, 0, 1, 0xCE, 0xFF, 0x9C, 0x9F]
        let extensions: [UInt8] = [3, 0, 4, 0xE1, 0x42, 0xC2, 0xD1, 5, 0, 5, 0x61, 0x62, 0x63, 0x64, 0x65]
        let bytes = ProxyHeaderBytes.make(family: 0x11, ends + extensions)
        #expect(try Self.source(bytes) == "127.0.0.2:52991 > 127.0.0.1:40095")
        // Wherever a byte is changed that is not one of the form.
        for place in Array(16..<28) + Array(31..<36) + Array(38..<43) {
            var spoiled = bytes
            spoiled[place] ^= 0x80
            #expect(Self.read(spoiled) == .failure(.checksum), "byte \(place)")
        }
    }

    @Test("has the checksum of RFC 4960 and of RFC 3720 B.4")
    func checksum() {
        var digits = CRC32C()
        for byte in "123456789".utf8 { digits.update(byte) }
        #expect(digits.value == 0xE306_9283)
        var zeros = CRC32C()
        for _ in 0..<32 { zeros.update(0) }
        #expect(zeros.value == 0x8A91_36AA)
    }

    @Test("does not say who the client is where the balancer speaks for itself, or of something unspecified")
    func unspecified() {
        for bytes in [
            ProxyHeaderBytes.local(), ProxyHeaderBytes.local(extensions: ProxyHeaderBytes.tlv(4, [0, 0])),
            ProxyHeaderBytes.make(command: 0x20, family: 0x11, [1, 2, 3]),
            ProxyHeaderBytes.make(command: 0x20, family: 0xFF, [UInt8](repeating: 9, count: 300)),
        ] {
            let header = ProxyHeader(ends: nil, isLocal: true)
            #expect(Self.read(bytes + [22]) == .success(.complete(header, byteCount: bytes.count)))
        }
        let header = ProxyHeader(ends: nil, isLocal: false)
        #expect(
            Self.read(ProxyHeaderBytes.make(family: 0, [])) == .success(.complete(header, byteCount: 16))
        )
    }

    @Test("may have extensions, which have no effect")
    func extensions() throws {
        let many = (0..<100).flatMap { ProxyHeaderBytes.tlv(UInt8($0) + 4, [1, 2, 3]) }
        #expect(try Self.source(ProxyHeaderBytes.v4(extensions: many)) == "203.0.113.7:40312 > 192.0.2.1:7443")
        let longest = ProxyHeaderBytes.tlv(4, [UInt8](repeating: 0, count: 2048 - 28 - 3))
        #expect(try Self.source(ProxyHeaderBytes.v4(extensions: longest)) != nil)
    }

    // MARK: What is not

    @Test(
        "is refused with a name",
        arguments: [
            (Array("PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n".utf8), ProxyHeaderRefusal.text),
            ([0x16, 0x03, 0x01], .missing), (Array("PRI * HTTP/2.0".utf8), .missing),
            (Array("\r\n\r\nx".utf8), .missing),
            (ProxyHeaderBytes.make(command: 0x11, family: 0x11, []), .version),
            (ProxyHeaderBytes.make(command: 0x31, family: 0x11, []), .version),
            (ProxyHeaderBytes.make(command: 0x22, family: 0x11, []), .command),
            (ProxyHeaderBytes.make(family: 0x12, []), .family), (ProxyHeaderBytes.make(family: 0x31, []), .family),
            (ProxyHeaderBytes.make(family: 0x01, []), .family), (ProxyHeaderBytes.make(family: 0x41, []), .family),
            (ProxyHeaderBytes.make(family: 0x11, [UInt8](repeating: 0, count: 11)), .length),
            (ProxyHeaderBytes.make(family: 0x21, [UInt8](repeating: 0, count: 35)), .length),
            (ProxyHeaderBytes.make(family: 0, [UInt8](repeating: 0, count: 2033)), .length),
            (ProxyHeaderBytes.v4(extensions: [4]), .extensions),
            (ProxyHeaderBytes.v4(extensions: [4, 0, 1]), .extensions),
            (ProxyHeaderBytes.v4(extensions: [4, 255, 255, 1]), .extensions),
            (ProxyHeaderBytes.v4(extensions: [3, 0, 3, 0, 0, 0]), .extensions),
            (ProxyHeaderBytes.v4(extensions: [3, 0, 4, 0, 0, 0, 0]), .checksum),
        ]
    )
    func refused(bytes: [UInt8], refusal: ProxyHeaderRefusal) {
        #expect(Self.read(bytes) == .failure(refusal))
        #expect(Self.readPieces(bytes, of: 1) == .failure(refusal))
        #expect(!refusal.message.isEmpty)
    }

    @Test("is not complete before its last byte, and leaves what follows it")
    func truncations() throws {
        for whole in [
            ProxyHeaderBytes.v4(), ProxyHeaderBytes.v6(extensions: ProxyHeaderBytes.tlv(5, [1])),
            ProxyHeaderBytes.local(),
        ] {
            for count in 0..<whole.count { #expect(Self.read(Array(whole[..<count])) == .success(.incomplete)) }
            let expected = Self.read(whole)
            #expect(Self.read(whole + [0x16, 3, 1]) == expected)
            for size in 1...whole.count { #expect(Self.readPieces(whole + [0x16, 3, 1], of: size) == expected) }
        }
    }

    @Test("is read in one way, however it is cut and whatever byte is changed")
    func mutations() {
        let whole = ProxyHeaderBytes.v4(extensions: ProxyHeaderBytes.tlv(1, Array("h2".utf8)))
        for place in whole.indices {
            for value in UInt8.min...UInt8.max {
                var bytes = whole
                bytes[place] = value
                let together = Self.read(bytes)
                let apart = Self.readPieces(bytes, of: 1)
                #expect(together == apart, "byte \(place) is \(value)")
                if place < 12, value != whole[place] {
                    #expect(together == .failure(.missing), "byte \(place) is \(value)")
                }
            }
        }
    }

    // MARK: Addresses

    @Test(
        "names addresses as they are written",
        arguments: [
            ("0.0.0.0", "0.0.0.0"), ("255.1.2.3", "255.1.2.3"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
            ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("0:0:0:1::", "0:0:0:1::"), ("fe80:0:0:0:a::", "fe80::a:0:0:0"),
        ]
    )
    func texts(text: String, canonical: String) {
        #expect(IPAddress(text).map { "\($0)" } == canonical)
    }

    @Test("comes from networks that are written without doubt")
    func networks() throws {
        let ten = try IPNetwork("10.0.0.0/8")
        #expect(try ten.contains(#require(IPAddress("10.255.0.1"))))
        #expect(try !ten.contains(#require(IPAddress("11.0.0.1"))))
        #expect(try !ten.contains(#require(IPAddress("::a00:1"))))
        #expect(try IPNetwork("2001:db8::/33").contains(#require(IPAddress("2001:db8:7fff::1"))))
        #expect(try !IPNetwork("2001:db8::/33").contains(#require(IPAddress("2001:db8:8000::1"))))
        #expect(try IPNetwork("::/0").contains(#require(IPAddress("ffff::1"))))
        #expect(try IPNetwork("127.0.0.1").description == "127.0.0.1")
        for wrong in [
            "", "10/8", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "10.0.0.0/+8", "::/129", "localhost", "10.0.0.0/8/8",
        ] {
            #expect(throws: IPNetwork.Problem.syntax, "\(wrong)") { try IPNetwork(wrong) }
        }
        let hostBits = IPNetwork.Problem.hostBits(ten)
        #expect(throws: hostBits) { try IPNetwork("10.0.0.1/8") }
    }
}
