// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@testable import GatewayAdmin
@testable import GatewayRuntime

@Suite("Parts of the operators' endpoint")
struct AdminPartsTests {
    @Test("write metrics as Prometheus reads them")
    func text() throws {
        var text = MetricsText()
        text.begin("a_total", .counter, "Help with \\ and\na line.")
        text.sample([("name", "a \"quoted\" \\ text\nof two lines")], 3)
        text.add("b", .gauge, "B.", MetricsText.seconds(1_500_000_000))
        text.begin("c_seconds", .histogram, "C.")
        text.histogram([], [1_000_000, 2_000_000_000], [1, 2, 3], sum: 10_000_000_001)
        let expected = #"""
            # HELP ipc_gateway_a_total Help with \\ and\na line.
            # TYPE ipc_gateway_a_total counter
            ipc_gateway_a_total{name="a \"quoted\" \\ text\nof two lines"} 3
            # HELP ipc_gateway_b B.
            # TYPE ipc_gateway_b gauge
            ipc_gateway_b 1.5
            # HELP ipc_gateway_c_seconds C.
            # TYPE ipc_gateway_c_seconds histogram
            ipc_gateway_c_seconds_bucket{le="0.001"} 1
            ipc_gateway_c_seconds_bucket{le="2"} 3
            ipc_gateway_c_seconds_bucket{le="+Inf"} 6
            ipc_gateway_c_seconds_sum 10.000000001
            ipc_gateway_c_seconds_count 6

            """#
        #expect(String(decoding: text.bytes, as: UTF8.self) == expected)
    }

    @Test(
        "know names that can lead nowhere else from others",
        arguments: [
            ("localhost", true), ("LOCALHOST:80", true), ("127.0.0.1", true), ("127.9.9.9:1", true),
            ("[::1]:9090", true),
            ("localhost:", true), ("example.org", false), ("127.0.0.1.example.org", false),
            ("localhost.example.org", false),
            ("0.0.0.0", false), ("[::]", false), ("user@localhost", false), ("", false), ("127.1", false),
            ("2130706433", false), ("localhost:80:80", false), ("[::1", false),
        ]
    )
    func hosts(header: String, isLocal: Bool) {
        #expect(RequestGuard.isLocal(header) == isLocal)
    }

    @Test("let no other site's page do anything")
    func crossSite() {
        func status(_ method: String, origin: String? = nil, site: String? = nil) -> Int? {
            let asked = RequestGuard.Asked(
                method: method,
                path: "/drain",
                host: "localhost:8080",
                origin: origin,
                fetchSite: site
            )
            return RequestGuard(place: .unix).refusal(of: asked)?.status
        }
        #expect(status("POST") == nil)
        #expect(status("POST", origin: "http://localhost:8080", site: "same-origin") == nil)
        #expect(status("POST", site: "none") == nil)
        #expect(status("POST", origin: "http://localhost:8081") == 403)
        #expect(status("POST", origin: "null") == 403)
        #expect(status("DELETE", origin: "https://localhost:8080") == 403)
        #expect(status("POST", site: "cross-site") == 403)
        #expect(status("POST", site: "same-site") == 403)
        #expect(status("GET", origin: "http://other.example") == nil)
    }

    @Test(
        "take no answer that is none",
        arguments: [
            "", "nonsense", "HTTP/1.1 200 OK\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 99 X\r\n\r\n",
            "HTTP/1.1 100 X\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nnothing\r\n\r\n",
        ]
    )
    func answers(text: String) {
        #expect(throws: HTTPAnswer.Malformed.self) { try HTTPAnswer(Array(text.utf8)) }
    }

    @Test("take an answer")
    func answer() throws {
        let answer = try HTTPAnswer(Array("HTTP/1.1 503 Busy\r\ncontent-length: 2\r\nX: y\r\n\r\nab".utf8))
        #expect((answer.status, answer.body) == (503, Array("ab".utf8)))
        #expect(try HTTPAnswer(Array("HTTP/1.0 200\r\n\r\nall".utf8)).body == Array("all".utf8))
    }

    @Test(
        "see that files have changed: rewritten, replaced, exchanged by a link, gone; and not when they are only touched"
    )
    func files() throws {
        let directory = try TemporaryDirectory()
        let plain = try directory.write("one", to: "plain")
        // As Kubernetes mounts a secret: a link to a file in a folder that is itself a link.
        let manager = FileManager.default
        for (folder, text) in [("v1", "key 1"), ("v2", "key 2")] {
            try manager.createDirectory(atPath: directory.file(folder), withIntermediateDirectories: false)
            _ = try directory.write(text, to: "\(folder)/key")
        }
        try manager.createSymbolicLink(atPath: directory.file("data"), withDestinationPath: "v1")
        try manager.createSymbolicLink(atPath: directory.file("key"), withDestinationPath: "data/key")
        let paths = [plain, directory.file("key")]
        var watch = FileWatch(paths)
        #expect(watch.changes(of: paths).isEmpty)
        _ = try directory.write("two", to: "plain")
        #expect(watch.changes(of: paths) == [plain])
        _ = try directory.write("two", to: "other")
        #expect(rename(directory.file("other"), plain) == 0)
        #expect(watch.changes(of: paths).isEmpty)
        try manager.createSymbolicLink(atPath: directory.file("next"), withDestinationPath: "v2")
        #expect(rename(directory.file("next"), directory.file("data")) == 0)
        #expect(watch.changes(of: paths) == [directory.file("key")])
        try manager.removeItem(atPath: plain)
        #expect(watch.changes(of: paths) == [plain])
        #expect(watch.changes(of: paths).isEmpty)
        #expect(watch.changes(of: paths + [directory.file("v1/key")]) == [directory.file("v1/key")])
        // Files that a configuration names anew are as they are; what it named before keeps what was seen of it.
        _ = try directory.write("three", to: "plain")
        let new = try directory.write("one", to: "new")
        watch.follow([plain, new])
        #expect(watch.changes(of: [plain, new]) == [plain])
        _ = try directory.write("two", to: "new")
        #expect(watch.changes(of: [plain, new]) == [new])
    }

    @Test("do not wait for a thread that does not answer")
    func gathering() async {
        let answers: [Int?] = await Gathering.collect(3, within: .milliseconds(100)) { answer in
            answer(2, 20)
            answer(0, 0)
            answer(0, 1)
        }
        #expect(answers == [0, nil, 20])
        let all: [Int?] = await Gathering.collect(1, within: .seconds(100)) { $0(0, 7) }
        #expect(all == [7])
    }
}
