// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

/// One after the other: each fills the machine by itself.
@Suite("A crowd of clients", .serialized, .blocking)
struct CrowdTests {
    /// A gateway in front of the sample server, which runs in a process of its own.
    private struct Stage {
        let directory: TemporaryDirectory
        let server: SampleServer
        let bench: GatewayBench

        init(configure: (inout GatewayConfigurationText) throws -> Void = { _ in }) throws {
            self.directory = try TemporaryDirectory()
            let path = self.directory.file("sample.sock")
            self.server = try SampleServer(path)
            // A connection is counted until its server has let go of it, so crowds that follow each other overlap.
            self.bench = try GatewayBench(upstream: .at(path)) {
                $0.limits["perIdentity"] = "{ clients: 5000 }"
                try configure(&$0)
            }
        }

        func swarm() throws -> ClientSwarm {
            ClientSwarm(port: self.bench.gateway.port, tls: try TLSContext(self.bench.tls(try self.bench.alice())))
        }
    }

    @Test("of a thousand, each with a hundred calls, gets every answer right and leaves nothing behind")
    func thousand() throws {
        // Sessions that can be resumed are kept on purpose.
        let stage = try Stage {
            $0.tls = ["resumption": "off"]
            // All clients say hello before the first one listens, which takes its time on a busy machine.
            $0.timeouts = ["handshake": "60s"]
        }
        let gateway = stage.bench.gateway
        let descriptors = try gateway.descriptorCount()
        let memory = try gateway.residentBytes()
        var figures: [String] = []
        var peaks: [Int] = []
        for round in 0..<3 {
            let idle = try Self.storm(stage, clients: 1000, calls: round == 0 ? 100 : 10)
            try eventually("every descriptor is back") { try gateway.descriptorCount() == descriptors }
            // Most often more than half; how much depends on where the last allocations lie.
            try eventually("a third of what the crowd took is given back", within: .seconds(15)) {
                try gateway.residentBytes() - memory < (idle - memory) * 2 / 3
            }
            peaks.append(idle - memory)
            figures.append(
                "\((idle - memory) / 1000 / 1024) KiB a client, \(try gateway.residentBytes() >> 10) KiB after"
            )
        }
        print("resident KiB before \(memory >> 10); storms: \(figures.joined(separator: "; "))")
        // What is left is a matter of where the allocator's holes are. If anything of a client stayed, the next crowd
        // would come on top of it: three of them would need three times as much.
        #expect(peaks[2] < peaks[0] * 3 / 2)
    }

    @Test("whose calls are large has nothing kept for it but connections while it is silent")
    func largeMessages() throws {
        let stage = try Stage()
        let gateway = stage.bench.gateway
        let before = try gateway.residentBytes()
        let large = IPCValue.buffer([UInt8](repeating: 7, count: 512 << 10))
        var clients: [TestClient] = []
        for _ in 0..<100 {
            let client = try stage.bench.open()
            client.send(
                Frame.regular(IPCMessage.call(id: 0, channel: "sample", command: "echo", argument: large)).encoded()
            )
            var index = 0
            while try client.frame(index).body.count <= 512 << 10 { index += 1 }
            clients.append(client)
        }
        var each = 0
        // The holes that messages have left between what connections keep were several hundred KiB a client.
        try eventually("memory is given back; it is \(each >> 10) KiB a client", within: .seconds(15)) {
            each = (try gateway.residentBytes() - before) / clients.count
            return each < 160 << 10
        }
    }

    /// Lets clients come, call and leave.
    ///
    /// - Returns: The gateway's memory while all are there and nobody calls.
    private static func storm(_ stage: Stage, clients: Int, calls: Int) throws -> Int {
        let gateway = stage.bench.gateway
        let closed = gateway.closings.count
        let swarm = try stage.swarm()
        try swarm.join(clients)
        #expect(swarm.readyCount == clients)
        let peak = try gateway.residentBytes()
        try swarm.call(calls)
        #expect(swarm.rightAnswerCount == clients * calls)
        #expect(swarm.wrongAnswerCount == 0)
        swarm.leave()
        try gateway.waitForClosings(closed + clients, within: .seconds(30))
        return peak
    }
}
