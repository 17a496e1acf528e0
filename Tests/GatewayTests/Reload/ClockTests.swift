// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Testing

/// A library in front of the system's shows the gateway another time: nobody sets the clock of this machine.
@Suite("A clock that is set", .blocking)
struct ClockTests {
    private static func library() throws -> String {
        let folders = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib").map { "/usr/lib/\($0)/faketime" }
        for folder in folders + ["/usr/lib/faketime"] {
            let path = folder + "/libfaketimeMT.so.1"
            if FileManager.default.fileExists(atPath: path) { return path }
        }
        throw TestSupportError("libfaketimeMT.so.1 is not there; Debian: apt-get install faketime")
    }

    @Test(
        "is in the log, changes who is let in, and does nothing to those who are there",
        .enabled(if: GatewayProcess.hasSandbox, "a sanitizer has to be the first library")
    )
    func jumps() throws {
        let time = try TemporaryDirectory()
        let file = try time.write("+0", to: "time")
        let environment = [
            "LD_PRELOAD": try Self.library(), "FAKETIME_TIMESTAMP_FILE": file, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        ]
        // The file lies outside of what the gateway may read in its sandbox. The library changes the environment when it is
        // the first time in a process, and programs in Swift do not find their arguments then: `env` is the first.
        let launcher = ["/usr/bin/env"]
        let options = ["--no-sandbox"]
        let bench = try GatewayBench(isEager: true, environment: environment, launcher: launcher, arguments: options) {
            $0.reload = "{ interval: 1s }"
            $0.timeouts["idle"] = "1h"
        }
        defer {
            for name in ["sem.faketime_sem", "faketime_shm"] { unlink("/dev/shm/\(name)_\(bench.gateway.child.pid)") }
        }
        let shortLived = try bench.authority.client("clock", uris: ["spiffe://example.org/dev/clock"], notAfter: "+1d")
        let client = try bench.open()
        let server = try bench.recording().connection()
        try server.receive(count: RecordingUpstream.opening(context: "remote:alice").count)
        try server.send(RecordingUpstream.initialize)
        func exchange(_ id: UInt64) throws {
            let (asked, answered) = (server.receivedCount, client.received.count)
            client.send(Sample.call(id))
            try server.receive(count: asked + Sample.call(id).count)
            try server.send(Sample.answer(id))
            try client.receive(count: answered + Sample.answer(id).count)
            #expect(client.frames.last?.encoded() == Sample.answer(id))
        }
        try exchange(0)
        let before = try bench.open(shortLived)

        _ = try time.write("+3d", to: "time")
        let forward = try bench.gateway.waitForLog("that the clock was set") { $0["seconds"] == "259200" }
        #expect(forward["message"]?.hasPrefix("the clock was set forward by 259200 s") == true)
        try exchange(1)
        let late = try bench.connect(shortLived)
        late.open()
        #expect(try late.receiveToEnd().refusal?.contains("expired") == true)
        let refused = try bench.gateway.waitForClosings(1)
        #expect(refused["detail"]?.contains("expired") == true, "\(refused)")
        _ = try bench.open()

        _ = try time.write("+0", to: "time")
        let back = try bench.gateway.waitForLog("that the clock was set back") { $0["seconds"] == "-259200" }
        #expect(back["message"]?.hasPrefix("the clock was set back by 259200 s") == true)
        try exchange(2)
        _ = try bench.open(shortLived)
        #expect(bench.gateway.closings.count == 1)
        withExtendedLifetime(before) {}
        #expect(try bench.gateway.stop() == 0)
    }
}
