// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Two network namespaces with a cable between them (a veth pair): two machines, as far as TCP can tell. They share files,
/// so also Unix sockets, and are gone with the object.
///
/// The kernel has to allow it, to root or in a user namespace: `init` throws with the reason where it does not.
public final class NetworkPair: Sendable {
    /// One of the two.
    public enum Side: Int, Sendable, CaseIterable {
        /// Usually the server's.
        case left
        /// Usually the client's.
        case right

        /// Its IPv4 address.
        public var address: String { "10.213.17.\(rawValue + 1)" }
        var device: String { "gwtest\(rawValue)" }
    }

    private let holders: [ChildProcess]
    private static let isRoot = geteuid() == 0

    /// Makes them.
    ///
    /// - Throws: `TestSupportError` with the reason why that cannot be done here.
    public init() throws {
        // It is there until its input ends, which it does with the tests, however they end.
        let hold = ["sh", "-c", "echo ready; exec cat"]
        let first = try Self.start(["unshare"] + (Self.isRoot ? ["-n"] : ["-Urn"]) + hold)
        let second = try Self.start(
            Self.isRoot ? ["unshare", "-n"] + hold : Self.enter(first) + ["unshare", "-n"] + hold
        )
        holders = [first, second]
        let (left, right) = (Side.left, Side.right)
        try run(
            ["ip", "link", "add", "name", left.device, "type", "veth"]
                + ["peer", "name", right.device, "netns", "\(second.pid)"],
            in: .left
        )
        for side in Side.allCases {
            try run(["ip", "address", "add", "\(side.address)/24", "dev", side.device], in: side)
            try run(["ip", "link", "set", "lo", "up"], in: side)
            try run(["ip", "link", "set", side.device, "up"], in: side)
        }
    }

    private static func start(_ words: [String]) throws -> ChildProcess {
        let process = try ChildProcess(["/usr/bin/env"] + words, hasInput: true)
        try eventually("a network namespace, or the reason why there is none", within: .seconds(10)) {
            process.output.contains("ready") || process.status != nil
        }
        guard process.output.contains("ready") else {
            throw TestSupportError("no network namespace can be made here: \(process.errors)")
        }
        return process
    }

    private static func enter(_ holder: ChildProcess) -> [String] {
        ["nsenter", "-t", "\(holder.pid)"] + (isRoot ? ["-n"] : ["-U", "--preserve-credentials", "-n"])
    }

    /// The words that run a program on one side, for `ChildProcess` and the like.
    public func words(_ words: [String], in side: Side) -> [String] {
        ["/usr/bin/env"] + Self.enter(holders[side.rawValue]) + words
    }

    /// Runs a program on one side, to its end.
    ///
    /// - Throws: `TestSupportError` with what it said when it fails.
    @discardableResult
    public func run(_ words: [String], in side: Side) throws -> String {
        let process = try ChildProcess(self.words(words, in: side))
        guard try process.wait() == 0 else {
            throw TestSupportError("\(words.joined(separator: " ")): \(process.errors)")
        }
        return process.output
    }

    /// Pulls the cable, or plugs it in again. What was on its way is lost, and TCP sends it again.
    public func setConnected(_ isConnected: Bool) throws {
        try run(["ip", "link", "set", Side.left.device, isConnected ? "up" : "down"], in: .left)
    }
}
