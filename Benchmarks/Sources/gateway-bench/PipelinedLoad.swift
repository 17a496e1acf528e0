// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol

/// Clients that each send a number of calls at once and then wait for all the answers.
///
/// In step, so that the gateway has the same reads and writes whatever the machine does meanwhile.
final class PipelinedLoad {
    private var connections: [Connection] = []
    private let callsInFlight: Int
    private let batches: [[UInt8]]
    private var turn = 0

    private struct Connection {
        let stream: BlockingStream
        var decoder = FrameDecoder()
    }

    /// Connects.
    ///
    /// - Parameters:
    ///   - rules: Calls are spread over the commands of these.
    ///   - connectionCount: How many connections.
    ///   - callsInFlight: How many calls each of them sends at once.
    ///   - connect: Makes a connection.
    init(
        _ rules: Rules,
        connections connectionCount: Int = 4,
        callsInFlight: Int = 16,
        _ connect: () throws -> BlockingStream
    ) throws {
        self.callsInFlight = callsInFlight
        // Enough batches for each rule to have its turn, the last of them filled up with those from the beginning.
        let batchCount = (rules.count + callsInFlight - 1) / callsInFlight
        batches = (0..<batchCount).map { batch in
            (0..<callsInFlight).flatMap { index in
                Rules.call((batch * callsInFlight + index) % rules.count, id: UInt64(index))
            }
        }
        for _ in 0..<connectionCount {
            let stream = try connect()
            try stream.send(Frame.regular(IPCMessage.context("bench")).encoded())
            connections.append(Connection(stream: stream))
            try receive(1, connections.count - 1) { $0 == .initialize }
        }
    }

    /// Makes calls, at least so many.
    ///
    /// - Returns: How many.
    func run(_ calls: Int) throws -> Int {
        var made = 0
        while made < calls {
            for connection in connections {
                try connection.stream.send(batches[turn])
                turn = (turn + 1) % batches.count
            }
            for index in connections.indices {
                try receive(callsInFlight, index) { message in
                    if case .success(_, Rules.argument) = message { true } else { false }
                }
            }
            made += connections.count * callsInFlight
        }
        return made
    }

    /// Receives messages that are what they should be.
    private func receive(_ count: Int, _ index: Int, _ isExpected: (DecodedMessage) -> Bool) throws {
        var missing = count
        while missing > 0 {
            while let frame = try connections[index].decoder.next() {
                let message = try IPCMessage.decode(frame.body)
                guard isExpected(message) else { throw TestSupportError("the gateway sent \(message)") }
                missing -= 1
            }
            guard missing > 0 else { return }
            guard case .bytes(let bytes) = try connections[index].stream.receive(milliseconds: 10_000) else {
                throw TestSupportError("the gateway does not answer")
            }
            connections[index].decoder.append(bytes.span)
        }
    }
}
