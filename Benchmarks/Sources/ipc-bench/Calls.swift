// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import IPC
import IPCProtocol
import IPCTransport

/// `ipc-bench calls`: calls per CPU second, and how long one takes.
struct Calls: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Echo calls: how many per CPU second of client and server together, and how long each takes."
    )

    @Option(help: "Sizes of the payload, in bytes; 0 is undefined.")
    var payloads = [0, 1024, 102_400]

    @Option(help: "How many calls are in flight at once.")
    var inFlight = [1, 64]

    @Option(help: "How long each row is measured, in seconds of wall-clock time.")
    var seconds = 3.0

    @Option(help: "Repetitions of each row; the median counts.")
    var repeats = 3

    func run() async throws {
        let server = try ServerProcess()
        var options = ConnectionOptions()
        options.limits.frameBytes = 256 << 20
        let client = try await IPCClient.connect(to: .unix(server.path), context: "bench", options: options)
        let channel = client.channel("bench")
        print("payload   in flight   calls/CPU s (spread)        calls/s    p50 µs   p99 µs   CPU client : server")
        for payload in payloads {
            for count in inFlight {
                let argument = payload == 0 ? IPCValue.undefined : .vsBuffer([UInt8](repeating: 7, count: payload))
                _ = try await Row.measure(channel, argument, inFlight: count, seconds: 0.3)
                var rows: [Row] = []
                for _ in 0..<repeats {
                    rows.append(try await Row.measure(channel, argument, inFlight: count, seconds: seconds))
                }
                print(Self.line(payload, count, rows.sorted { $0.callsPerCPUSecond < $1.callsPerCPUSecond }))
            }
        }
        client.dispose()
    }

    private static func line(_ payload: Int, _ inFlight: Int, _ rows: [Row]) -> String {
        func pad(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let median = rows[rows.count / 2]
        let spread = "\(Int(rows[0].callsPerCPUSecond))–\(Int(rows[rows.count - 1].callsPerCPUSecond))"
        let share = Int(100 * median.clientCPU / (median.clientCPU + median.serverCPU))
        return pad("\(payload)", 7) + pad("\(inFlight)", 12)
            + pad("\(Int(median.callsPerCPUSecond)) (\(spread))", 27)
            + pad("\(Int(median.callsPerSecond))", 11) + pad("\(Int(median.p50 * 1e6))", 10)
            + pad("\(Int(median.p99 * 1e6))", 9) + pad("\(share) : \(100 - share)", 22)
    }
}
