// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Headers of the PROXY protocol, version 2, put together byte by byte from doc/proxy-protocol.txt.
public enum ProxyHeaderBytes {
    /// What every header begins with.
    public static let signature = Array("\r\n\r\n\0\r\nQUIT\n".utf8)

    /// A header of any content.
    public static func make(command: UInt8 = 0x21, family: UInt8, _ body: [UInt8]) -> [UInt8] {
        signature + [command, family, UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
    }

    /// TCP over IPv4.
    public static func v4(
        _ source: (UInt8, UInt8, UInt8, UInt8) = (203, 0, 113, 7),
        port: UInt16 = 40_312,
        extensions: [UInt8] = []
    ) -> [UInt8] {
        let ports = [UInt8(port >> 8), UInt8(port & 0xFF), 0x1D, 0x13]
        return make(family: 0x11, [source.0, source.1, source.2, source.3, 192, 0, 2, 1] + ports + extensions)
    }

    /// TCP over IPv6, from 2001:db8::7 to 2001:db8::1.
    public static func v6(extensions: [UInt8] = []) -> [UInt8] {
        let network: [UInt8] = [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11)
        return make(family: 0x21, network + [7] + network + [1] + [0x9D, 0x78, 0x1D, 0x13] + extensions)
    }

    /// A balancer that speaks for itself.
    public static func local(extensions: [UInt8] = []) -> [UInt8] { make(command: 0x20, family: 0, extensions) }

    /// An extension.
    public static func tlv(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [type, UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
    }
}
