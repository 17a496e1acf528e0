// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import GatewayTestSupport

/// `gateway-bench allocations`: how often the gateway, as it is, asks for memory for a message that it passes.
struct Allocations: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Count the gateway's allocations for a message; fail where it has any beside OpenSSL's.",
        discussion: "From the folder of the project: make allocations"
    )

    /// Above this a message allocates; below it is the growth of what is kept, and what other threads do meanwhile.
    private static let mostPerMessage = 0.01

    @Option(help: ArgumentHelp("The gateway's program.", valueName: "path"))
    var gateway = ".build/release/ipc-gateway"

    @Option(help: ArgumentHelp("The library that counts.", valueName: "path"))
    var counter = "Benchmarks/.build/release/liballocation-counter.so"

    @Option(help: "Calls that are counted; as many again come before them.")
    var calls = 20_000

    func validate() throws {
        guard calls > 0 else { throw ValidationError("--calls is greater than zero") }
        guard access(gateway, X_OK) == 0 else {
            throw ValidationError("\(gateway) is not there; build it with: make release")
        }
        guard access(counter, R_OK) == 0 else {
            throw ValidationError("\(counter) is not there; build it with: make allocations")
        }
    }

    func run() throws {
        var table = Table(
            title: "Allocations of the gateway for a message, \(calls) calls and their answers",
            header: ["", "the gateway's", "OpenSSL's"]
        )
        var highest = 0.0
        for (title, isPipelined) in [("one call at a time", false), ("4 connections, 16 calls at a time", true)] {
            let count = try measure(isPipelined: isPipelined)
            table.rows.append([title, Self.text(count.others), Self.text(count.openssl)])
            highest = max(highest, count.others)
        }
        print(table.markdown, terminator: "")
        guard highest < Self.mostPerMessage else {
            throw TestSupportError("the gateway allocates \(Self.text(highest)) times for a message, and should not")
        }
    }

    /// - Returns: Allocations for a message.
    private func measure(isPipelined: Bool) throws -> (others: Double, openssl: Double) {
        let rules = Rules(count: 10)
        let stage = try Stage(gateway: gateway, cores: Cores(gatewayLauncher: []))
        let file = stage.directory.file("allocations")
        let library = URL(fileURLWithPath: counter).path
        let launcher = ["env", "LD_PRELOAD=\(library)", "ALLOCATION_COUNT=\(file)"]
        let gateway = try stage.startGateway("counted", clients: [rules.entry(for: "bench")], launcher: launcher)
        let load = try PipelinedLoad(rules, connections: isPipelined ? 4 : 1, callsInFlight: isPipelined ? 16 : 1) {
            try stage.connect(to: gateway, as: "bench")
        }
        _ = try load.run(calls)
        let before = try Self.counts(file)
        let messages = 2 * Double(try load.run(calls))
        let after = try Self.counts(file)
        try gateway.stop()
        return (Double(after.others - before.others) / messages, Double(after.openssl - before.openssl) / messages)
    }

    /// What the library has written: two numbers of eight bytes, its `struct allocations`.
    private static func counts(_ file: String) throws -> (others: UInt64, openssl: UInt64) {
        let data = try Data(contentsOf: URL(fileURLWithPath: file))
        guard data.count == 16 else { throw TestSupportError("\(file): nothing was counted") }
        return data.withUnsafeBytes { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
    }

    private static func text(_ count: Double) -> String { String(format: "%.4f", count) }
}
