// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import GatewayTestSupport
import IPCProtocol

/// `soak serve`: a server that gives back what it gets, and with each answer fires the next number at those who listen.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve until killed.", shouldDisplay: false)

    @Argument(help: "The path of the socket.")
    var path: String

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        unlink(path)
        let bound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(listener, 256) == 0 else {
            throw TestSupportError("\(path): \(String(cString: strerror(errno)))")
        }
        print("listening")
        fflush(nil)
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { continue }
            Thread.detachNewThread {
                try? Self.serve(BlockingStream(descriptor: connection))
            }
        }
    }

    private static func serve(_ stream: BlockingStream) throws {
        var decoder = FrameDecoder()
        var hasContext = false
        var subscriptions: [UInt64: Int] = [:]
        while true {
            guard case .bytes(let bytes) = try stream.receive(milliseconds: -1) else { return }
            decoder.append(bytes.span)
            var answers: [UInt8] = []
            while let frame = try decoder.next() {
                guard hasContext else {
                    hasContext = true
                    Frame.regular(IPCMessage.initialize).append(to: &answers)
                    continue
                }
                switch try IPCMessage.decode(frame.body) {
                case .call(let id, _, _, let argument):
                    Frame.regular(IPCMessage.success(id: id, result: argument)).append(to: &answers)
                    for (subscription, number) in subscriptions {
                        Frame.regular(IPCMessage.event(id: subscription, payload: IPCValue(number))).append(
                            to: &answers
                        )
                        subscriptions[subscription] = number + 1
                    }
                case .listen(let id, _, _, _): subscriptions[id] = 0
                case .unlisten(let id): subscriptions[id] = nil
                default: break
                }
            }
            try stream.send(answers)
        }
    }
}
