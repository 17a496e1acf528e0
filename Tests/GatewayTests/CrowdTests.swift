// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import TLSEngine
import Testing

/// One after the other: each fills the machine by itself.
@Suite("A crowd of clients", .serialized)
struct CrowdTests {
    /// A gateway in front of the sample server, which runs in a process of its own.
    private struct Stage {
        let directory: TemporaryDirectory
        let server: ChildProcess
        let bench: GatewayBench

        init(configure: (inout GatewayConfigurationText) throws -> Void = { _ in }) throws {
            self.directory = try TemporaryDirectory()
            let path = self.directory.file("sample.sock")
            self.server = try ChildProcess([try GatewayProcess.program(), "demo", "server", "--unix", path])
            try eventually("the sample server listens") { FileManager.default.fileExists(atPath: path) }
            self.bench = try GatewayBench(upstream: .at(path), configure: configure)
        }

        func swarm() throws -> ClientSwarm {
            ClientSwarm(port: self.bench.gateway.port, tls: try TLSContext(self.bench.tls(try self.bench.alice())))
        }
    }

    @Test("of a thousand, each with a hundred calls, gets every answer right and leaves nothing behind")
    func thousand() throws {
        let stage = try Stage { $0.clients = ["{ match: { uri: \"spiffe://example.org/dev/*\" }, context: c, allow: [{ channel: \"*\", call: [\"*\"] }] }"] }
        let gateway = stage.bench.gateway
        let warmUp = try stage.swarm()
        try warmUp.join(50)
        try warmUp.call(10)
        warmUp.leave()
        try gateway.waitForClosings(50)
        let descriptors = try gateway.descriptorCount()
        let memory = try gateway.residentBytes()

        let swarm = try stage.swarm()
        try swarm.join(1000)
        #expect(swarm.readyCount == 1000)
        let idle = try gateway.residentBytes()
        try swarm.call(100)
        #expect(swarm.rightAnswerCount == 100_000)
        #expect(swarm.wrongAnswerCount == 0)
        let busy = try gateway.residentBytes()
        swarm.leave()
        try gateway.waitForClosings(1050, within: .seconds(30))
        #expect(try gateway.descriptorCount() == descriptors)
        let after = try gateway.residentBytes()
        print("resident KiB before \(memory >> 10), 1000 idle \(idle >> 10), after calls \(busy >> 10), at the end \(after >> 10)")
    }
}
