// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayCore
import GatewayRuntime
import GatewayTestSupport
import Testing

@Suite("The audit log", .blocking)
struct AuditLogTests {
    // MARK: Lines

    @Test("has every line, in the order of each thread, and the last ones before it is closed")
    func order() throws {
        let bench = try AuditBench()
        let log = try bench.open(lines: 100_000)
        let threads = (0..<8).map { thread in
            Background { for number in 0..<1000 { log.write(AuditBench.line(number, from: thread)) } }
        }
        for thread in threads { try thread.value() }
        log.close(within: .seconds(30))
        #expect(log.droppedCount == 0)
        #expect(log.waitingCount == 0)
        let lines = try bench.lines()
        #expect(lines.count == 8000)
        for thread in 0..<8 {
            let numbers = try AuditBench.numbers(lines, of: thread)
            #expect(numbers.elementsEqual(0..<1000), "thread \(thread)")
        }
        #expect(bench.messages.all.isEmpty)
    }

    @Test("comes soon, without being closed")
    func soon() throws {
        let bench = try AuditBench()
        let log = try bench.open()
        for number in 0..<3 {
            log.write(AuditBench.line(number))
            try eventually("line \(number) is there", within: .seconds(30)) { try bench.lines().count == number + 1 }
        }
    }

    @Test("takes no lines after it was closed, and counts them")
    func afterwards() throws {
        let bench = try AuditBench()
        let log = try bench.open()
        log.write(AuditBench.line(0))
        log.close(within: .seconds(30))
        log.write(AuditBench.line(1))
        log.close(within: .seconds(30))
        #expect(log.droppedCount == 1)
        #expect(try bench.lines().count == 1)
    }

    @Test("is a file that others cannot read, is appended to, and has whole lines only")
    func file() throws {
        let bench = try AuditBench()
        try bench.open().close(within: .seconds(30))
        let attributes = try FileManager.default.attributesOfItem(atPath: bench.path)
        let mode = try #require(attributes[.posixPermissions] as? Int)
        #expect(mode & 0o7137 == 0, "neither executable nor for others")
        try bench.directory.write("{\"torn\":", to: "audit.jsonl")
        let log = try bench.open()
        log.write(AuditBench.line(7))
        log.close(within: .seconds(30))
        #expect(try bench.lines() == ["{\"torn\":", String(decoding: AuditBench.line(7).dropLast(), as: UTF8.self)])
    }

    @Test("gives connections names that are never the same")
    func names() throws {
        let bench = try AuditBench()
        let logs = [try bench.open(), try bench.open()]
        let names = logs.flatMap { log in (0..<100).map { _ in log.makeConnectionID() } }
        #expect(Set(names).count == 200)
    }

    @Test(
        "says why it cannot be opened",
        arguments: [("", "Is a directory"), ("nowhere/audit.jsonl", "No such file or directory")]
    )
    func openFails(name: String, reason: String) throws {
        let bench = try AuditBench()
        let path = bench.directory.file(name)
        let error = #expect(throws: GatewayStartError.self) { try bench.open(.file(path)) }
        let message = "cannot open the audit log, \(path): \(reason); its folder must be there"
        #expect(error?.description.hasPrefix(message) == true)
        let socket = bench.directory.file("log")
        let second = #expect(throws: GatewayStartError.self) { try bench.open(.syslog, syslogSocket: socket) }
        #expect(second?.description.contains("the system's log at \(socket): No such file or directory") == true)
    }

    // MARK: Rotation

    @Test("is opened anew after its file was renamed")
    func rotation() throws {
        let bench = try AuditBench()
        let log = try bench.open()
        log.write(AuditBench.line(0))
        try eventually("the first line is there") { try bench.lines().count == 1 }
        try FileManager.default.moveItem(atPath: bench.path, toPath: bench.directory.file("audit.jsonl.1"))
        log.write(AuditBench.line(1))
        try eventually("the second line is in the renamed file") { try bench.lines("audit.jsonl.1").count == 2 }
        log.reopen()
        try bench.messages.wait(for: "audit log reopened")
        log.write(AuditBench.line(2))
        log.close(within: .seconds(30))
        #expect(try AuditBench.numbers(bench.lines("audit.jsonl.1")) == [0, 1])
        #expect(try AuditBench.numbers(bench.lines()) == [2])
    }

    @Test("is written where it was when it cannot be opened anew")
    func failedRotation() throws {
        let bench = try AuditBench()
        let log = try bench.open()
        try FileManager.default.moveItem(atPath: bench.path, toPath: bench.directory.file("old"))
        try FileManager.default.createDirectory(atPath: bench.path, withIntermediateDirectories: false)
        log.reopen()
        try bench.messages.wait(for: "cannot be reopened")
        log.write(AuditBench.line(0))
        log.close(within: .seconds(30))
        #expect(try bench.lines("old").count == 1)
    }

    @Test("is the same file, with whole lines, when it is opened anew without having been renamed")
    func sameFile() throws {
        let bench = try AuditBench()
        let log = try bench.open(lines: 100_000)
        let writer = Background { for number in 0..<20_000 { log.write(AuditBench.line(number, padding: 100)) } }
        while !writer.isDone {
            let reopened = bench.messages.all.count
            log.reopen()
            try eventually("it is opened anew") { bench.messages.all.count > reopened }
        }
        log.close(within: .seconds(30))
        let numbers = try AuditBench.numbers(bench.lines())
        #expect(numbers.elementsEqual(0..<20_000))
    }

    @Test("loses no line while it is opened anew again and again")
    func manyRotations() throws {
        let bench = try AuditBench()
        let log = try bench.open(lines: 100_000)
        let writer = Background { for number in 0..<20_000 { log.write(AuditBench.line(number, padding: 100)) } }
        for round in 0..<20 {
            let reopened = bench.messages.all.count
            try FileManager.default.moveItem(atPath: bench.path, toPath: bench.directory.file("old\(round)"))
            log.reopen()
            try eventually("it is opened anew") { bench.messages.all.count > reopened }
        }
        try writer.value()
        log.close(within: .seconds(30))
        let lines = try (0..<20).flatMap { try bench.lines("old\($0)") } + bench.lines()
        let numbers = try AuditBench.numbers(lines)
        #expect(numbers.elementsEqual(0..<20_000))
    }
}
