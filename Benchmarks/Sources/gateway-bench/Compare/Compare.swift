// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import GatewayTestSupport

/// `gateway-bench compare`: the gateway beside others that could stand in its place.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Do the same work through the gateway and through others, and compare what they need for it.",
        discussion: """
            Others are what is installed of HAProxy, nginx, stunnel, hitch (make bench-install) and ghostunnel. Each has
            TLS 1.3 with AES-128-GCM and P-256 certificates, requires one of clients, and runs on one processor; clients
            and server are on another.
              gateway-bench compare --rounds 10 --folder docs/performance
              gateway-bench compare --work full,resumed --candidates ipc-gateway,haproxy --wrapper .build/openssl-3.5/run
            """
    )

    @Option(help: ArgumentHelp("The gateway's program.", valueName: "path"))
    var gateway = ".build/release/ipc-gateway"

    @Option(help: "Rounds; in each, everybody does everything.")
    var rounds = 5

    @Option(help: "Seconds for which one piece of work is measured.")
    var seconds = 1.0

    @Option(help: ArgumentHelp("Only these pieces of work, with commas between them.", valueName: "names"))
    var work: String?

    @Option(help: ArgumentHelp("Only these candidates, with commas between them.", valueName: "names"))
    var candidates: String?

    @Option(
        help: ArgumentHelp("A command that starts candidates, with other libraries for example.", valueName: "path")
    )
    var wrapper: String?

    @Option(help: ArgumentHelp("What the files are called, but for their endings.", valueName: "name"))
    var prefix = "side-by-side"

    @Option(help: ArgumentHelp("The heading of the Markdown file.", valueName: "text"))
    var title = "Side by side"

    @Flag(help: "Instead, measure what a call costs with 10 to 5,000 connections.")
    var growth = false

    @Option(
        help: ArgumentHelp("Where Markdown, CSV and plot go; without it, only to the terminal.", valueName: "folder")
    )
    var folder: String?

    func validate() throws {
        guard rounds > 0, seconds > 0 else { throw ValidationError("--rounds and --seconds are greater than zero") }
        guard access(gateway, X_OK) == 0 else {
            throw ValidationError("\(gateway) is not there; build it with: make release")
        }
        for name in names(work) ?? [] where !Work.all.contains(where: { $0.name == name }) {
            throw ValidationError("--work: \(name) is none of \(Work.all.map(\.name).joined(separator: ", "))")
        }
        for name in names(candidates) ?? [] where !all.contains(where: { $0.name == name }) {
            throw ValidationError("--candidates: \(name) is none of \(all.map(\.name).joined(separator: ", "))")
        }
    }

    func run() throws {
        guard access(load, X_OK) == 0 else {
            throw ValidationError(
                "\(load) is not there: swift build -c release --package-path Benchmarks --product load"
            )
        }
        let machine = Machine.description
        // Everything that is started inherits it: thousands of connections are to be held.
        var files = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        files.rlim_cur = files.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        let scene = try Scene(gateway: gateway, load: load, cores: Cores.divided(), wrapper: wrapper)
        if growth {
            let growth = Growth(scene: scene, load: load, rounds: rounds, seconds: seconds)
            let cells = try growth.measure()
            let intro = "\(machine); \(rounds) rounds of \(seconds) s each.\n\n"
            try write(intro + growth.table(cells).markdown, to: "\(prefix).md")
            return try writeFigures(growth.report(cells))
        }
        let works = Work.all.filter { work in names(self.work)?.contains(work.name) ?? true }
        let chosen = all.filter { candidate in names(candidates)?.contains(candidate.name) ?? true }
        for candidate in chosen {
            if let missing = candidate.missing { note("left out: \(candidate.title) (\(missing))") }
        }
        let present = chosen.filter { $0.missing == nil }
        let comparison = Comparison(scene: scene, candidates: present, works: works, rounds: rounds, seconds: seconds)
        let report = ComparisonReport(candidates: present, works: works, cells: try comparison.measure())
        let intro = "\(machine); \(rounds) rounds of \(seconds) s each.\n\n"
        try write(intro + report.markdown, to: "\(prefix).md")
        try writeFigures(report)
    }

    /// Every measurement, and a plot of them.
    private func writeFigures(_ report: ComparisonReport) throws {
        guard let folder else { return }
        try Data(report.csv.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(prefix).csv"))
        try Data(report.plot.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(prefix).svg"))
    }

    private func write(_ text: String, to file: String) throws {
        print(text, terminator: "")
        guard let folder else { return }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let heading = "# \(title)\n\n[How it is measured](../performance.md#how-it-is-measured)\n\n"
        try Data((heading + text).utf8).write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
    }

    private func names(_ list: String?) -> [String]? {
        list?.split(separator: ",").map(String.init)
    }

    /// Built beside this program.
    private var load: String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("load").path
    }

    private var all: [any Candidate] {
        let large = 128 << 10
        let peers: [any Candidate] = [
            HAProxyPeer(), HAProxyPeer(buffer: large), NginxPeer(), NginxPeer(buffer: large), HitchPeer(),
            StunnelPeer(),
            GhostunnelPeer(),
        ]
        return Gateway.variants + [Floor(load: load)] + peers
    }
}
