// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import GatewayTestSupport

/// The soak itself.
struct Run: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the soak (default).")

    @Option(help: "How long it takes, in seconds; two phases of half of it each.")
    var seconds = 120
    @Option(help: "Draws what happens; the same seed draws the same faults, but not the same moments.")
    var seed = UInt64.random(in: 0...999_999)
    @Option(help: "The program to run.")
    var gateway = ".build/debug/ipc-gateway"
    @Option(help: "Clients of each kind: plain ones, and sessions. A quarter as many are never cut.")
    var clients = 16

    func validate() throws {
        guard seconds >= 2, clients >= 4 else { throw ValidationError("at least 2 seconds and 4 clients") }
        guard access(gateway, X_OK) == 0 else { throw ValidationError("\(gateway) is not there: make build") }
    }

    func run() throws {
        Course.catchInterrupts()
        signal(SIGPIPE, SIG_IGN)
        note("seed \(seed), \(seconds) s")
        let stage = try Stage(gateway: gateway)
        let course = Course()
        let faults = Faults(stage, course, seed: seed)
        let descriptors = try stage.gateway.descriptorCount()
        // What is allocated once is there then.
        play(stage, course, nil, seconds: 2)
        var holdings: [Stage.Holdings] = []
        try settle(stage, course, descriptors, &holdings)
        for phase in 1...2 where !Course.wasInterrupted {
            note("phase \(phase) of 2")
            play(stage, course, faults, seconds: Double(seconds) / 2)
            try settle(stage, course, descriptors, &holdings)
        }
        check(stage, course, holdings)
        do { try stage.stop() } catch { course.report("the end", "\(error)") }
        let report = Report(seed: seed, seconds: seconds, course: course, faults: faults, holdings: holdings)
        FileHandle.standardOutput.write(Data(report.markdown.utf8))
        guard course.problems.isEmpty else {
            for problem in course.problems { note("does not hold (seed \(seed)): \(problem)") }
            throw ExitCode.failure
        }
        note("everything holds")
    }

    private func note(_ text: String) { FileHandle.standardError.write(Data("soak: \(text)\n".utf8)) }

    /// Lets clients come, and faults happen, and everybody finish.
    private func play(_ stage: Stage, _ course: Course, _ faults: Faults?, seconds: Double) {
        course.isEnding = false
        let group = DispatchGroup()
        func start(_ body: @escaping @Sendable () -> Void) {
            group.enter()
            Thread.detachNewThread {
                body()
                group.leave()
            }
        }
        for index in 0..<clients {
            let clientSeed = seed &+ UInt64(index)
            let link = stage.links[index % stage.links.count]
            let (tls, port) = (stage.tls, stage.gateway.port)
            let configuration = stage.authority.clientConfiguration(stage.client)
            start {
                var client = PlainClient(
                    name: "plain \(index)",
                    tls: tls,
                    link: link,
                    port: port,
                    course: course,
                    generator: SeededGenerator(seed: clientSeed)
                )
                client.run()
            }
            start {
                var client = SessionClient(
                    name: "session \(index)",
                    tls: configuration,
                    link: link,
                    course: course,
                    generator: SeededGenerator(seed: clientSeed)
                )
                client.run()
            }
            guard index % 4 == 0 else { continue }
            start {
                var client = PlainClient(
                    name: "untouched \(index)",
                    tls: tls,
                    link: nil,
                    port: port,
                    course: course,
                    generator: SeededGenerator(seed: clientSeed)
                )
                client.run()
            }
        }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        while clock.now < end, !Course.wasInterrupted, stage.gateway.child.status == nil {
            if let faults { faults.next() } else { letTimePass(milliseconds: 50) }
        }
        course.isEnding = true
        group.wait()
    }

    private func settle(
        _ stage: Stage,
        _ course: Course,
        _ descriptors: Int,
        _ holdings: inout [Stage.Holdings]
    ) throws {
        guard stage.gateway.child.status == nil else {
            course.report("the gateway", "it has ended: \(stage.gateway.child.errors.suffix(2_000))")
            return
        }
        do { try stage.waitUntilQuiet(descriptors) } catch { course.report("descriptors", "\(error)") }
        holdings.append(try stage.measure())
    }

    private func check(_ stage: Stage, _ course: Course, _ holdings: [Stage.Holdings]) {
        for line in stage.gateway.log where line["text"] != nil || ["error", "critical"].contains(line["level"] ?? "") {
            // A broken configuration is an error on purpose; two lines say so.
            if line["message"]?.hasPrefix("reload: ") == true || line["message"]?.contains("was not reloaded") == true {
                continue
            }
            course.report("the log", "\(line)")
        }
        guard holdings.count == 3 else { return }
        let (start, half, end) = (holdings[0], holdings[1], holdings[2])
        if end.threads > start.threads { course.report("threads", "\(start.threads) have become \(end.threads)") }
        let bound = half.resident + max(8 << 20, half.resident * 15 / 100)
        if end.resident > bound {
            course.report("memory", "\(half.resident >> 10) KiB at half time, \(end.resident >> 10) KiB at the end")
        }
    }
}
