// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol
import TLSEngine
import Testing

@Suite("HAProxy", .blocking)
struct HAProxyTests {
    @Test(
        "passes the client's address on, and its health checks make no noise",
        .enabled(if: HAProxy.program != nil, "haproxy is not installed (make test-dependencies)")
    )
    func address() throws {
        let bench = try GatewayBench { configuration in
            configuration.proxy = "{ from: [127.0.0.1] }"
            configuration.audit = "{ file: audit.jsonl }"
        }
        let balancer = try HAProxy(
            bench.directory,
            [
                "default-server send-proxy-v2 proxy-v2-options crc32c check check-send-proxy inter 200ms",
                "server one 127.0.0.1:\(bench.gateway.port)",
            ]
        )
        let client = try BlockingStream(host: "127.0.0.1", port: balancer.port)
        try client.startTLS(try TLSContext(bench.tls(try bench.alice())), serverName: "localhost")
        try BlockingClient(client, context: "test").waitUntilReady()
        let accepted = try bench.gateway.waitForLog("the client") { $0["message"] == "client accepted" }
        #expect(accepted["peer"] == "127.0.0.1:\(client.localPort)")
        #expect(accepted["proxy"] != accepted["peer"])
        #expect(accepted["proxy"]?.hasPrefix("127.0.0.1:") == true)
        try eventually("the audit log has both addresses") {
            try String(contentsOfFile: bench.directory.file("audit.jsonl"), encoding: .utf8)
                .contains("\"peer\":\"127.0.0.1:\(client.localPort)\",\"proxy\":\"127.0.0.1:")
        }
        try bench.gateway.waitForLog("a health check") {
            $0["message"] == "connection closed" && $0["detail"] == "the proxy's health check"
        }
        for closing in bench.gateway.closings {
            #expect(closing["level"] == "debug", "\(closing)")
        }
        withExtendedLifetime(balancer) {}
    }
}
