// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import GatewayTestSupport
import IPCProtocol
import TLSEngine

/// `gateway-bench greedy`: a client that always has more calls out than it may.
struct Greedy: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Call until killed.", shouldDisplay: false)

    @Option(help: "The gateway's port.")
    var port: UInt16

    @Option(help: "PEM: the client's certificate.")
    var certificate: String

    @Option(help: "PEM: its key.")
    var key: String

    @Option(help: "PEM: the gateway's authority.")
    var ca: String

    @Option(help: "Calls without an answer at any time.")
    var inFlight = 2_048

    func run() throws {
        let tls = TLSConfiguration(
            role: .client,
            certificateChainFile: certificate,
            privateKeyFile: key,
            trustAnchorsFile: ca
        )
        let stream = try Stage.connect(port: port, tls: tls)
        try stream.send(Frame.regular(IPCMessage.context("greedy")).encoded())
        var decoder = FrameDecoder()
        // The first frame that comes is the gateway's Initialize.
        var unanswered = 1
        var id: UInt64 = 0
        while true {
            var calls: [UInt8] = []
            while unanswered < inFlight {
                calls += Rules.call(0, id: id)
                id += 1
                unanswered += 1
            }
            try stream.send(calls)
            guard case .bytes(let bytes) = try stream.receive(milliseconds: 10_000) else {
                throw TestSupportError("the gateway does not answer")
            }
            decoder.append(bytes.span)
            while try decoder.next() != nil { unanswered -= 1 }
        }
    }
}
