// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayCore
import GatewayTestSupport
import TLSEngine
import Testing

@Suite("What is counted")
struct MeterTests {
    private static func configuration(_ rules: String) throws -> GatewayConfiguration {
        try GatewayConfiguration(
            yaml: """
                listeners: [{ unix: local.sock }]
                upstreams: { main: { unix: main.sock } }
                clients: [{ match: { uid: "1" }, context: { announced: ["*"] }, allow: [\(rules)] }]
                """,
            file: "gateway.yaml"
        )
    }

    private static func name(_ names: RequestNames, _ channel: String, _ name: String) -> (String?, String?) {
        let (channel, name) = (Array(channel.utf8), Array(name.utf8))
        let found = names.names[Int(names.number(.call, .fromClient, channel: channel.span, name: name.span))]
        func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
        return (text(found.channel), text(found.name))
    }

    @Test("has the names that rules are written with; all others are others")
    func names() throws {
        var names = RequestNames()
        names.add(
            try Self.configuration(
                #"{ channel: storage, call: [get, "s*"] }, { channel: "log*", call: [write] }, { channel: é, listen: [x] }"#
            )
        )
        #expect(Self.name(names, "storage", "get") == ("storage", "get"))
        #expect(Self.name(names, "storage", "set") == ("storage", nil))
        #expect(Self.name(names, "logs", "write") == (nil, "write"))
        #expect(Self.name(names, "logs", "read") == (nil, nil))
        // A right of its own.
        #expect(Self.name(names, "é", "x") == (nil, nil))
        #expect(Self.name(names, String(repeating: "x", count: 5000), "get") == (nil, nil))
        #expect(Self.name(names, "e\u{301}", "get") == (nil, nil))
    }

    @Test("keeps its numbers when another configuration adds names, and there are never more than so many")
    func append() throws {
        var names = RequestNames()
        names.add(try Self.configuration("{ channel: storage, call: [get] }"))
        let before = names.names
        let many = (0..<600).map { "c\($0)" }.joined(separator: ", ")
        names.add(try Self.configuration("{ channel: a, call: [\(many)] }, { channel: b, call: [\(many)] }"))
        #expect(Array(names.names.prefix(before.count)) == before)
        #expect(names.names.count == RequestNames.most)
        #expect(Self.name(names, "storage", "get") == ("storage", "get"))
        #expect(Self.name(names, "a", "c599") == ("a", "c599"))
        #expect(Self.name(names, "b", "c599") == ("b", nil))
        let full = names.names
        names.add(try Self.configuration("{ channel: z, call: [\(many)] }"))
        #expect(names.names == full)
        #expect(Self.name(names, "z", "c1") == (nil, nil))
    }

    @Test("an outcome has the number of its place")
    func outcomes() {
        #expect(AuditRequest.Outcome.allCases.map(\.number) == Array(0..<AuditRequest.Outcome.count))
    }

    @Test("quantiles lie within the bucket that they fall into")
    func quantiles() {
        var counts = [Int](repeating: 0, count: LatencyBuckets.count)
        #expect(LatencyBuckets.quantile(0.5, of: counts) == nil)
        counts[0] = 100
        #expect(LatencyBuckets.quantile(0.5, of: counts) == 50_000)
        counts[3] = 100
        #expect(LatencyBuckets.quantile(0.5, of: counts) == 100_000)
        #expect(LatencyBuckets.quantile(0.75, of: counts) == 750_000)
        counts[LatencyBuckets.count - 1] = 1000
        #expect(LatencyBuckets.quantile(0.99, of: counts) == 60_000_000_000)
        #expect(LatencyBuckets.bounds == LatencyBuckets.bounds.sorted())
    }
}

@Suite("Warnings of what expires")
struct ExpiryWatchTests {
    private static let day: Int64 = 86_400

    private static func days(_ kind: TLSExpiry.Kind, from first: Int64, through last: Int64, every step: Int64)
        -> [Int64]
    {
        var watch = ExpiryWatch()
        let expiry = TLSExpiry(kind: kind, name: "CN=server", time: 100 * day)
        return stride(from: 100 * day - first, through: 100 * day - last, by: Int64.Stride(step)).flatMap { now in
            watch.warnings([expiry], at: now).map(\.days)
        }
    }

    @Test("come 30, 7 and 1 days before, and each day once it is too late")
    func thresholds() {
        let days = Self.days(.certificate, from: 40 * Self.day, through: -2 * Self.day, every: 3600)
        #expect(days == [30, 7, 1, -1, -2])
    }

    @Test("come at once when there is little time left at the start, and not twice in a day")
    func lateStart() {
        let days = Self.days(.authority, from: Self.day + 3600, through: 10, every: 600)
        #expect(days == [1, 0])
    }

    @Test("are not for revocation lists, but for those that are too old")
    func lists() {
        #expect(Self.days(.revocationList, from: 9 * Self.day, through: 0, every: 3600).isEmpty)
        #expect(Self.days(.revocationList, from: 9 * Self.day, through: -3600, every: 3600) == [-1])
    }

    @Test("begin anew with what has taken the place of the old")
    func replaced() {
        var watch = ExpiryWatch()
        let old = TLSExpiry(kind: .certificate, name: "CN=server", time: 5 * Self.day)
        #expect(watch.warnings([old], at: 0).count == 1)
        let new = TLSExpiry(kind: .certificate, name: "CN=server", time: 6 * Self.day)
        #expect(watch.warnings([new], at: 60).map(\.days) == [5])
        #expect(watch.warnings([new], at: 120).isEmpty)
    }
}

@Suite("The configuration of the operators' endpoint")
struct AdminConfigurationTests {
    private static func read(_ sections: String) throws(ConfigurationError) -> GatewayConfiguration {
        try GatewayConfiguration(
            yaml: """
                listeners: [{ unix: local.sock }]
                upstreams: { main: { unix: main.sock }, jobs: { unix: jobs.sock, channels: [jobs], health: false } }
                clients: [{ match: { uid: "1" }, context: { announced: ["*"] }, allow: [{ channel: a, call: [b] }] }]
                \(sections)
                """,
            file: "etc/gateway.yaml"
        )
    }

    private static func problems(_ sections: String) -> [String] {
        do throws(ConfigurationError) {
            _ = try read(sections)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test("is read")
    func good() throws {
        let configuration = try Self.read(
            "admin: { unix: admin.sock, address: 127.0.0.1:9090, health: { context: probe, deadline: 500ms } }\n"
                + "reload: { interval: 10s }"
        )
        let admin = try #require(configuration.admin)
        #expect((admin.unix, admin.healthContext, admin.healthDeadline) == ("admin.sock", "probe", 500_000_000))
        #expect(admin.address?.description == "127.0.0.1:9090")
        #expect(!admin.isControlledByAddress)
        #expect(configuration.reload.interval == 10_000_000_000)
        #expect(configuration.upstreams.map(\.isChecked) == [true, false])
        let plain = try Self.read("")
        #expect(plain.admin == nil)
        #expect(plain.reload.interval == nil)
    }

    @Test(
        "takes loopback addresses only, and says where another stands",
        arguments: [
            ("0.0.0.0:9090", false), ("[::]:9090", false), ("192.168.1.1:9090", false), ("[1::]:9090", false),
            ("[::2]:9090", false), ("127.8.9.1:9090", true), ("[::1]:9090", true), ("[0:0:0:0:0:0:0:1]:9090", true),
        ]
    )
    func loopback(address: String, isGood: Bool) {
        let problems = Self.problems("admin:\n  unix: a.sock\n  address: \"\(address)\"")
        #expect(problems.isEmpty == isGood, "\(problems)")
        if !isGood {
            #expect(problems.first?.hasPrefix("etc/gateway.yaml:6:12: admin.address: ") == true, "\(problems)")
        }
    }

    @Test(
        "refuses what makes no sense",
        arguments: [
            ("admin: { address: 127.0.0.1:1 }", "'unix' is missing"),
            ("admin: { unix: a.sock, control: true }", "which is not there"),
            ("admin: { unix: a.sock, health: { deadline: 5ms } }", "from 10ms to 1m"),
            ("reload: { interval: 100ms }", "from 1s to 24h"),
            ("admin: { unix: a.sock, port: 1 }", "unknown key"),
        ]
    )
    func refused(sections: String, what: String) {
        let problems = Self.problems(sections)
        #expect(problems.contains { $0.contains(what) }, "\(problems)")
    }

    @Test("has a socket of its own")
    func taken() throws {
        let configuration = try Self.read("admin: { unix: local.sock }")
        #expect(throws: ConfigurationError.self) { try GatewaySnapshot(configuration) }
    }

    @Test("warns of a loopback address at which everything may be done")
    func control() throws {
        let configuration = try Self.read("admin: { unix: a.sock, address: 127.0.0.1:9090, control: true }")
        #expect(configuration.warnings.contains { $0.description.contains("everybody with an account") })
    }
}

@Suite("The watch over the clock")
struct ClockWatchTests {
    @Test("says by how much the clock was set, once, and forgives what keeps it right")
    func jumps() {
        let second: Int64 = 1_000_000_000
        var watch = ClockWatch(offset: 1000 * second)
        #expect(watch.jump(to: 1001 * second) == nil)
        #expect(watch.jump(to: 1003 * second) == nil)
        #expect(watch.jump(to: 4603 * second + 7) == 3600)
        #expect(watch.jump(to: 4603 * second) == nil)
        #expect(watch.jump(to: 0) == -4603)
        // A clock that is far off, as where it has no battery.
        #expect(watch.jump(to: Int64.max / 2) != nil)
    }
}
