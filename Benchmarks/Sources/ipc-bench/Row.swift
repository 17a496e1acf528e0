// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol

/// One measurement.
struct Row {
    var callsPerCPUSecond: Double
    var callsPerSecond: Double
    /// Seconds.
    var p50: Double
    /// Seconds.
    var p99: Double
    var clientCPU: Double
    var serverCPU: Double

    static func measure(
        _ channel: any Channel,
        _ argument: IPCValue,
        inFlight: Int,
        seconds: Double
    ) async throws -> Row {
        let clock = ContinuousClock()
        let serverBefore = try await channel.call("cpu").double ?? 0
        let clientBefore = ProcessorTime.now
        let start = clock.now
        let deadline = start + .seconds(seconds)
        let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<inFlight {
                group.addTask {
                    var latencies: [Double] = []
                    var now = clock.now
                    while now < deadline {
                        _ = try await channel.call("echo", argument)
                        let next = clock.now
                        latencies.append((next - now) / .seconds(1))
                        now = next
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let clientCPU = ProcessorTime.now - clientBefore
        let elapsed = (clock.now - start) / .seconds(1)
        let serverCPU = (try await channel.call("cpu").double ?? 0) - serverBefore
        let sorted = latencies.sorted()
        return Row(
            callsPerCPUSecond: Double(sorted.count) / (clientCPU + serverCPU),
            callsPerSecond: Double(sorted.count) / elapsed,
            p50: sorted[sorted.count / 2],
            p99: sorted[sorted.count * 99 / 100],
            clientCPU: clientCPU,
            serverCPU: serverCPU
        )
    }
}
