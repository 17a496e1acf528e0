// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Synchronization

/// Stands for the service manager: a datagram socket that keeps what a service says.
final class NotificationReceiver: Sendable {
    /// What goes into NOTIFY_SOCKET.
    let name: String
    private let descriptor: Int32
    private let texts = Mutex<[String]>([])

    /// - Parameter name: A path, or a name behind `@` for an abstract address.
    init(_ name: String) throws {
        self.name = name
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8.prefix(107))
        let count = bytes.count
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + count)
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard descriptor >= 0, result == 0 else { throw TestSupportError("bind \(name): \(errno)") }
    }

    deinit {
        close(descriptor)
    }

    /// Everything that has been said, in order.
    var messages: [String] {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { break }
            texts.withLock { $0.append(String(decoding: buffer[..<count], as: UTF8.self)) }
        }
        return texts.withLock { $0 }
    }

    /// How many messages have a line.
    func count(_ line: String) -> Int {
        messages.filter { $0.split(separator: "\n").contains(Substring(line)) }.count
    }

    /// Waits until so many messages have a line.
    func wait(for line: String, count: Int = 1) throws {
        try eventually("\(count) times \(line); there is \(self.messages)") { self.count(line) >= count }
    }
}
