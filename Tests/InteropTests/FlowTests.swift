// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import Glibc
import IPC
import IPCProtocol
import Testing

extension InteropTests {
    @Suite("Peers that do not read for a while")
    struct Flow {
        @Test(
            "What Node has missed while it stood still arrives in order",
            arguments: Setting.all
        )
        func standstill(_ setting: Setting) async throws {
            try await Bench.run(setting, weight: .heavy) { bench async throws in
                try await bench.node.listen("ticks", "swift", "onTick")
                try await eventually("Node listens") { bench.subject.seen.first == 1 }
                bench.node.process.signal(SIGSTOP)
                let bytes = [UInt8](repeating: 1, count: 50_000)
                for index in 0..<200 { bench.subject.ticks.fire([IPCValue(index), .buffer(bytes)]) }
                let call = Task { try await bench.channel().call("echo", "after") }
                bench.node.process.signal(SIGCONT)
                #expect(try await call.value == "after")
                #expect(try await bench.node.ask("sequence", ["name": "ticks", "count": 200]) == true)
            }
        }

        @Test("A sequence waits for a listener that stands still", arguments: Setting.all)
        func sequence(_ setting: Setting) async throws {
            try await Bench.run(setting, weight: .heavy) { bench async throws in
                let source = Counting(chunk: [UInt8](repeating: 1, count: 100_000), end: 500)
                bench.register("sequence", SequenceChannel(source: source))
                try await bench.node.listen("ticks", "sequence", "onNumber")
                _ = try await bench.node.call("swift", "whoami")
                #expect(try await bench.node.ask("sequence", ["name": "ticks", "count": 500]) == true)
            }
        }

        @Test(
            "Who asks much and reads nothing is not read, and gets all in the end",
            arguments: Setting.all
        )
        func glut(_ setting: Setting) async throws {
            try await Bench.run(setting, weight: .heavy) { bench async throws in
                // Before it has read that it may call, it would keep its calls, and then read no more.
                _ = try await bench.node.call("swift", "whoami")
                let order: IPCObject = ["channel": "swift", "command": "echo", "count": 200, "bytes": 100_000]
                _ = try await bench.node.ask("glut", order)
                // How much is read before the answers have piled up depends on how soon they are made. TCP may take all
                // of them into its own buffers.
                let transport = bench.connection.channelServer.transport
                if setting.carrier != .tls {
                    try await eventually("the answers have piled up") { transport.isCongested }
                }
                _ = try await bench.node.ask("glut", order)
                let result = try await bench.node.ask("digest")
                #expect(result["right"] == 400)
                #expect(result["isStuck"] == true || setting.carrier == .tls)
                #expect(bench.connection.channelServer.openCount == 0)
            }
        }
    }

    /// Numbers with something heavy.
    private struct Counting: AsyncSequence, Sendable {
        var chunk: [UInt8]
        var end: Int

        struct Iterator: AsyncIteratorProtocol {
            var source: Counting
            var next = 0

            mutating func next() async -> IPCValue? {
                guard next < source.end else { return nil }
                defer { next += 1 }
                return [IPCValue(next), .buffer(source.chunk)]
            }
        }

        func makeAsyncIterator() -> Iterator { Iterator(source: self) }
    }

    private struct SequenceChannel: ServerChannel {
        let source: Counting

        func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
            throw RemoteError.methodNotFound(command)
        }

        func listen(_ context: IPCValue, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
            Event(source)
        }
    }
}
