// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport

/// What can stand between clients and the server.
protocol Candidate {
    /// Its name in files.
    var name: String { get }
    /// Its name for people.
    var title: String { get }
    /// What it is asked to do, by ``Work/group``.
    var groups: Set<Work.Group> { get }
    /// Whether clients speak TLS to it.
    var hasTLS: Bool { get }
    /// Whether clients speak the persistent protocol to it.
    var isPersistent: Bool { get }
    /// What has to be there for it; nil when it is.
    var missing: String? { get }

    /// The words that start it, listening at a port of 127.0.0.1.
    func command(_ scene: Scene, port: UInt16) throws -> [String]
}

extension Candidate {
    var hasTLS: Bool { true }
    var isPersistent: Bool { false }

    /// The path of a program, wherever Debian puts it.
    func program(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (folders + ["/usr/sbin", "/usr/local/sbin"]).map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }
}

/// A candidate that runs.
final class Contestant {
    let candidate: any Candidate
    let port: UInt16
    private let child: ChildProcess

    /// Starts it on a processor, and waits until it listens.
    init(_ candidate: any Candidate, _ scene: Scene) throws {
        let port = try FreePort.find()
        let child = try ChildProcess(scene.launcher + candidate.command(scene, port: port))
        self.candidate = candidate
        self.port = port
        self.child = child
        try eventually("\(candidate.title) listens; it says: \(child.errors)", within: .seconds(20)) {
            guard child.status == nil else {
                throw TestSupportError("\(candidate.title) does not start: \(child.errors)\(child.output)")
            }
            return Self.listens(port)
        }
    }

    deinit {
        // Those with several processes end the others when they are asked.
        child.signal(SIGTERM)
        _ = try? child.wait(within: .seconds(3))
    }

    /// Its processes, with commas between them.
    var processes: String { ([child.pid] + Self.children(of: child.pid)).map(String.init).joined(separator: ",") }

    var errors: String { child.errors }

    private static func children(of process: pid_t) -> [pid_t] {
        let text = (try? String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)) ?? ""
        let children = text.split(separator: " ").compactMap { pid_t($0) }
        return children + children.flatMap(children(of:))
    }

    /// Asked of the kernel: a connection that nobody needs would be one that the candidate has to deal with.
    private static func listens(_ port: UInt16) -> Bool {
        let sockets = (try? String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)) ?? ""
        let address = String(format: "0100007F:%04X 00000000:0000 0A", port)
        return sockets.contains(address)
    }
}
