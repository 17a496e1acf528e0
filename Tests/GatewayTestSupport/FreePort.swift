// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Ports for programs that have to be told one beforehand.
public enum FreePort {
    /// Below those that the system gives to whoever asks for any.
    private static let range: ClosedRange<UInt16> = 20_000...32_000

    /// A port of 127.0.0.1 that nobody listens at.
    public static func find() throws -> UInt16 {
        for _ in 0..<100 {
            let port = UInt16.random(in: range)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let size = socklen_t(MemoryLayout.size(ofValue: address))
            let result = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) }
            }
            if result == 0 { return port }
        }
        throw TestSupportError("no port is free")
    }
}
