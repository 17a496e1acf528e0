// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import GatewayTestSupport
import IPCProtocol

/// `gateway-bench serve`: the server behind the gateway, which gives back what it gets, with a thread for each connection.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until killed.", shouldDisplay: false)

    @Argument(help: "The path of the socket.")
    var path: String

    func run() throws {
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 128) == 0 else {
            throw TestSupportError("\(path): \(String(cString: strerror(errno)))")
        }
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            Thread.detachNewThread {
                try? Self.serve(connection)
                close(connection)
            }
        }
    }

    private static func serve(_ connection: Int32) throws {
        var decoder = FrameDecoder()
        var hasContext = false
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            decoder.append(buffer.span.extracting(..<count))
            var answers: [UInt8] = []
            while let frame = try decoder.next() {
                if !hasContext {
                    hasContext = true
                    Frame.regular(IPCMessage.initialize).append(to: &answers)
                } else if case .call(let id, _, _, let argument) = try IPCMessage.decode(frame.body) {
                    Frame.regular(IPCMessage.success(id: id, result: argument)).append(to: &answers)
                }
            }
            guard sendAll(connection, answers) else { return }
        }
    }

    private static func sendAll(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
