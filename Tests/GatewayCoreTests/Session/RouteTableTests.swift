// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import GatewayCore

@Suite("Routes")
struct RouteTableTests {
    private static func route(_ channels: [[String]], _ name: String) -> Int? {
        RouteTable(channels.map { $0.map(SessionBench.glob) }).upstream(for: Array(name.utf8).span)
    }

    @Test(
        "lead to the server with the name, then to that with the longest pattern, then to that of all the others",
        arguments: [
            ("storage", 1), ("backup.daily", 2), ("backup.weekly.full", 3), ("backup", 0), ("log", 0), ("", 0),
        ]
    )
    func best(name: String, upstream: Int) {
        let channels = [[], ["storage"], ["backup.*", "s*"], ["backup.weekly.*"]]
        #expect(Self.route(channels, name) == upstream)
    }

    @Test("lead nowhere when nothing matches and every server has channels of its own")
    func nowhere() {
        #expect(Self.route([["a"], ["b*"]], "c") == nil)
    }

    @Test("compare names as bytes: two spellings of a letter are two channels")
    func bytes() {
        #expect(Self.route([[], ["caf\u{e9}"]], "cafe\u{301}") == 0)
    }

    @Test("conflict where two servers have equally long patterns, or one name")
    func conflicts() {
        for (channels, conflict) in [
            ([["a"], ["a"]], true), ([["a*"], ["a*b"]], true), ([["*x"], ["*y"]], true), ([["a*"], ["a"]], false),
            ([["ab*"], ["cd*"]], false), ([["a*", "a*b"], ["b"]], false), ([["a", "a"], ["b"]], false),
        ] {
            let found = RouteTable.conflict(in: channels.map { $0.map(SessionBench.glob) }) != nil
            #expect(found == conflict, "\(channels)")
        }
    }
}
