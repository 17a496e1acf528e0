// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPC
import IPCProtocol
import TLSEngine

/// What goes wrong, drawn from the seed.
final class Faults {
    /// How often each has happened.
    private(set) var counts: [Kind: Int] = [:]
    private let stage: Stage
    private let course: Course
    private var generator: SeededGenerator

    enum Kind: String, CaseIterable {
        case reset = "cuts by reset"
        case finish = "cuts by end of file"
        case stalledLink = "stalls of the network"
        case stalledServer = "servers that stop reading (SIGSTOP)"
        case kill = "servers killed and started again"
        case reload = "reloads"
        case brokenReload = "reloads of a broken file, refused"
        case descriptors = "times without descriptors (EMFILE)"
        case memory = "bursts of 16 MiB of calls that are not read (memory)"
        case storm = "storms of 200 connections"
    }

    init(_ stage: Stage, _ course: Course, seed: UInt64) {
        self.stage = stage
        self.course = course
        generator = SeededGenerator(seed: seed)
    }

    /// Lets one happen, and waits a little.
    func next() {
        // Cuts are what happens most.
        let kinds = Bool.random(using: &generator) ? [Kind.reset, .finish] : Kind.allCases
        let chosen = kinds.randomElement(using: &generator) ?? .reset
        do {
            try happen(chosen)
            counts[chosen, default: 0] += 1
        } catch {
            course.report(chosen.rawValue, "\(error)")
        }
        letTimePass(milliseconds: Int32.random(in: 100...700, using: &generator))
    }

    private func happen(_ kind: Kind) throws {
        let link = stage.links[Int.random(in: 0..<stage.links.count, using: &generator)]
        let server = Int.random(in: 0..<Stage.serverCount, using: &generator)
        let pause = Int32.random(in: 100...1_200, using: &generator)
        switch kind {
        case .reset: link.cut(.reset)
        case .finish: link.cut(.finish)
        case .stalledLink: link.stall(milliseconds: Int(pause))
        case .stalledServer:
            stage.servers[server].signal(SIGSTOP)
            letTimePass(milliseconds: pause)
            stage.servers[server].signal(SIGCONT)
        case .kill:
            stage.servers[server].signal(SIGKILL)
            letTimePass(milliseconds: pause / 2)
            try stage.startServer(server)
        case .reload: try stage.reload(isBroken: false)
        case .brokenReload: try stage.reload(isBroken: true)
        case .descriptors: try shortage(milliseconds: pause)
        case .memory: try burst()
        case .storm: storm()
        }
    }

    /// There is not one descriptor more than there are.
    private func shortage(milliseconds: Int32) throws {
        course.noteShortage()
        try stage.limitDescriptors(to: try stage.gateway.descriptorCount())
        // Those who are cut now want to come back.
        stage.links[0].cut(.reset)
        letTimePass(milliseconds: milliseconds)
        try stage.limitDescriptors(to: nil)
        course.noteShortage()
    }

    private func storm() {
        let streams = (0..<200).compactMap { _ in try? BlockingStream(host: "127.0.0.1", port: stage.gateway.port) }
        for (index, stream) in streams.enumerated() where index % 2 == 0 { stream.resetOnClose() }
    }

    /// Calls with 16 MiB, whose answers are read a second later: all queues between are full meanwhile.
    private func burst() throws {
        let start = PersistentPeer.now
        do {
            let stream = try BlockingStream(
                host: "127.0.0.1",
                port: stage.gateway.port,
                tls: stage.tls,
                serverName: "localhost"
            )
            var ledger = Ledger()
            try stream.send(ConnectionOpening.client(context: "burst"))
            for _ in 0..<64 { try stream.queue(Frame.regular(ledger.call(channel: 0, size: 256 << 10)).encoded()) }
            letTimePass(milliseconds: 1_000)
            var decoder = FrameDecoder()
            let deadline = start + UInt64(patient(60_000)) * 1_000_000
            while ledger.openCount > 0, PersistentPeer.now < deadline {
                switch try stream.receive(milliseconds: 1_000) {
                case .bytes(let bytes): decoder.append(bytes.span)
                case .end: throw TestSupportError("the connection of a burst was closed")
                case .nothing: break
                }
                while let frame = try decoder.next() { try ledger.take(frame.body) }
            }
            course.add(ledger.figures, as: "bursts")
            guard ledger.openCount == 0 else { throw TestSupportError("\(ledger.openCount) calls have no answer") }
        } catch  where course.hadShortage(since: start) {
        }
    }
}
