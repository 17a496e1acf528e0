// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport

/// A client in Node that makes its own TLS records, and so sends what no TLS library sends.
enum RecordClient {
    /// What it sends; Node/records.mjs says what that means.
    enum Flood: String, Sendable, CaseIterable {
        case updates
        case deafUpdates = "deaf-updates"
        case updatesWithData = "updates-data"
        case empty
        case single
    }

    /// Connects as alice and floods.
    static func start(
        _ bench: GatewayBench,
        _ flood: Flood,
        count: Int,
        data: [UInt8] = [],
        opening: [UInt8] = TestClient.opening(),
        address: String? = nil,
        launcher: (([String]) -> [String])? = nil,
        file: String = #filePath
    ) throws -> ChildProcess {
        let files = try bench.alice()
        func hex(_ bytes: [UInt8]) -> String {
            bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        let arguments = [
            address ?? "127.0.0.1:\(bench.gateway.port)", bench.authority.caFile, files.certificate, files.key,
            hex(opening), flood.rawValue, "\(count)", hex(data),
        ]
        guard let launcher else { return try Node.run("records.mjs", arguments, file: file) }
        let script = file.split(separator: "/").dropLast().joined(separator: "/")
        return try ChildProcess(launcher(["node", "/\(script)/Node/records.mjs"] + arguments))
    }

    /// Waits until it has sent everything, or the gateway has had enough.
    static func waitUntilSent(_ client: ChildProcess) throws {
        try eventually("the flood is over: \(client.output) \(client.errors)", within: .seconds(120)) {
            client.output.contains("sent ") || client.status != nil
        }
    }
}
