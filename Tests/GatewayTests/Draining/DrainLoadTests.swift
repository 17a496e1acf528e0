// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import GatewayRuntime
import GatewayTestSupport
import IPCProtocol
import Logging
import Testing

@Suite("A gateway that is asked to stop under load", .blocking)
struct DrainLoadTests {
    @Test("loses no call that has passed, answers none wrongly, and ends with 0")
    func load() throws {
        let directory = try TemporaryDirectory()
        let server = try SampleServer(directory.file("s.sock"))
        let bench = try GatewayBench(upstream: .at(directory.file("s.sock")), logLevel: "info") { text in
            text.threads = 2
            text.timeouts = ["drain": "10m"]
            text.audit = "{ file: audit.jsonl }"
        }
        let tls = bench.tls(try bench.alice())
        let callers = try [false, true].flatMap { isPersistent in
            try [.echo, .sleep(40), .echo, .sleep(150)].map { (work: DrainingCaller.Work) in
                try DrainingCaller(bench.gateway, tls: tls, isPersistent: isPersistent, work)
            }
        }
        bench.gateway.child.signal(SIGTERM)
        for caller in callers {
            let end = try caller.waitForEnd()
            #expect(end.contains("(draining)"), "\(end)")
        }
        #expect(try bench.gateway.child.wait() == 0)
        let text = try String(contentsOfFile: bench.directory.file("audit.jsonl"), encoding: .utf8)
        var outcomes: [String: Int] = [:]
        for line in text.split(separator: "\n") {
            let members = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            guard members["type"] as? String == "call" else { continue }
            outcomes[members["outcome"] as? String ?? "", default: 0] += 1
        }
        // Every call that has passed was answered, and its caller has the answer.
        #expect(Set(outcomes.keys).isSubset(of: ["ok", "draining"]), "\(outcomes)")
        #expect(outcomes["ok"] == callers.reduce(0) { $0 + $1.answered })
        withExtendedLifetime(server) {}
    }

    @Test("resets nobody who connects meanwhile: a newcomer is served, told, or finds nobody")
    func newcomers() throws {
        let bench = try GatewayBench(isEager: true, logLevel: "info") { text in
            text.threads = 2
            text.timeouts = ["drain": "10m"]
        }
        let witness = try bench.open()
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        witness.send(Sample.call(0))
        try server.receive(count: RecordingUpstream.opening(context: "remote:alice").count + Sample.call(0).count)
        let tls = bench.tls(try bench.alice())
        let port = bench.gateway.port
        let crowd = (0..<4).map { _ in
            Background {
                while true {
                    let client = TestClient(port: port, tls: tls)
                    client.open()
                    if case .lost(let text)? = client.ending { return text }
                    // The gateway's [200], or that it is draining.
                    _ = try? client.frame(0)
                    if client.errorCode == "draining" { continue }
                    if case .lost(let text)? = client.ending { return text }
                }
            }
        }
        letTimePass(milliseconds: 100)
        bench.gateway.child.signal(SIGTERM)
        for member in crowd {
            let end = try member.value(within: .seconds(60))
            #expect(end.contains("refused"), "\(end)")
        }
        try server.send(Sample.answer(0))
        try witness.receiveToEnd()
        #expect(witness.frames.dropFirst().first?.encoded() == Sample.answer(0))
        witness.disappear(reset: false)
        #expect(try bench.gateway.child.wait() == 0)
    }

    @Test("can be asked by its own process, and says that it is stopping")
    func request() throws {
        let bench = try GatewayBench.local()
        let text = try String(contentsOfFile: bench.configurationFile, encoding: .utf8)
            .replacing("unix: local.sock", with: "unix: other.sock")
        let configuration = try GatewayConfiguration(yaml: text, file: bench.configurationFile)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let gateway = try Gateway(try GatewaySnapshot(configuration), logger: logger)
        #expect(!gateway.isDraining)
        let client = TestClient(unix: bench.directory.file("other.sock"))
        client.open()
        client.send(Sample.call(0))
        let server = try bench.recording().connection()
        try server.send(RecordingUpstream.initialize)
        try server.receive(count: RecordingUpstream.opening(context: "local:\(getuid())").count + Sample.call(0).count)
        gateway.requestDrain()
        gateway.requestDrain()
        #expect(gateway.isDraining)
        #expect(throws: ConfigurationError.self) {
            try gateway.reload(try GatewaySnapshot(configuration, generation: 2))
        }
        #expect(!gateway.hasEnded)
        try server.send(Sample.answer(0))
        try client.receiveToEnd()
        #expect(client.errorCode == "draining")
        client.disappear(reset: false)
        gateway.wait()
        #expect(gateway.hasEnded)
        #expect(gateway.drainReport.isClean)
    }
}
