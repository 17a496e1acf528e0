// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import Synchronization

/// A gateway in front of two recording servers, `main` and `jobs`, the latter with the channels `jobs` and `jobs.*`.
final class TwoServers: Sendable {
    static let opening = RecordingUpstream.opening(context: "remote:alice")

    let bench: GatewayBench
    private let jobsServer: Mutex<RecordingUpstream>

    init(jobs: [String: String] = [:], configure: (inout GatewayConfigurationText) -> Void = { _ in }) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("jobs.sock")
        let server = try RecordingUpstream(path: path)
        jobsServer = Mutex(server)
        var members = jobs
        members["channels"] = #"[jobs, "jobs.*"]"#
        bench = try GatewayBench {
            $0.upstreams.append(.init(name: "jobs", path: path, members: members))
            configure(&$0)
        }
        self.directory = directory
    }

    private let directory: TemporaryDirectory

    var jobs: RecordingUpstream { jobsServer.withLock { $0 } }

    /// Ends the server `jobs`, as `kill -9` would.
    func killJobs() {
        jobs.stop()
        unlink(jobs.path)
    }

    /// Starts it anew.
    func startJobs() throws {
        let server = try RecordingUpstream(path: jobs.path)
        jobsServer.withLock { $0 = server }
    }

    static func call(_ id: UInt64, _ channel: IPCString, _ argument: IPCValue = .undefined) -> [UInt8] {
        Frame.regular(IPCMessage.call(id: id, channel: channel, command: "do", argument: argument)).encoded()
    }

    static func listen(_ id: UInt64, _ channel: IPCString) -> [UInt8] {
        Frame.regular(IPCMessage.listen(id: id, channel: channel, event: "onDo", argument: .undefined)).encoded()
    }

    /// The name of the error with which a call was answered; nil when the frame is not that.
    static func error(_ frame: Frame, id: UInt64) throws -> String? {
        guard case .failure(id, let error) = try IPCMessage.decode(frame.body) else { return nil }
        return error["name"]?.string?.description
    }
}
