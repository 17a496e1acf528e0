// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol

/// What the endpoint has answered.
struct OperatorAnswer {
    var status: Int
    var head: String
    var body: [UInt8]
}

extension GatewayBench {
    /// A gateway with an endpoint for operators, and two threads.
    static func administered(
        upstream: Upstream = .recording,
        isEager: Bool = false,
        admin: String = "{ unix: admin.sock }",
        configure: (inout GatewayConfigurationText) throws -> Void = { _ in }
    ) throws -> GatewayBench {
        let bench = try GatewayBench(upstream: upstream, isEager: isEager) { configuration in
            configuration.admin = admin
            configuration.threads = 2
            try configure(&configuration)
        }
        // After the listeners.
        try bench.gateway.waitForLog("the endpoint") {
            $0["message"] == "operators are served" && $0["address"]?.hasPrefix("unix:") == true
        }
        return bench
    }

    /// The endpoint's socket.
    var adminSocket: String { directory.file("admin.sock") }

    /// Asks the endpoint, with curl's headers and no others.
    func ask(_ method: String = "GET", _ target: String) throws -> OperatorAnswer {
        let stream = try BlockingStream(unix: adminSocket)
        try stream.send(Array("\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8))
        var bytes: [UInt8] = []
        while case .bytes(let more) = try stream.receive(milliseconds: 60_000) { bytes += more }
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw TestSupportError("the endpoint does not answer \(target)")
        }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        guard let status = head.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw TestSupportError("the endpoint does not answer with HTTP: \(head)")
        }
        return OperatorAnswer(status: status, head: head, body: Array(bytes[end.upperBound...]))
    }

    /// Asks, and reads JSON.
    func askJSON(_ method: String = "GET", _ target: String) throws -> (status: Int, value: IPCValue) {
        let answer = try ask(method, target)
        return (answer.status, try JSONText.parse(answer.body.span, in: 0..<answer.body.count))
    }

    /// The samples of `/metrics`, by name and labels as they are written.
    func metrics() throws -> [String: Double] {
        let answer = try ask("GET", "/metrics")
        guard answer.status == 200 else { throw TestSupportError("/metrics answers \(answer.status)") }
        return try Self.samples(of: answer.body)
    }

    /// Reads Prometheus' format strictly: each sample belongs to the metric that was begun last, and none is there twice.
    static func samples(of bytes: [UInt8]) throws -> [String: Double] {
        var samples: [String: Double] = [:]
        var name = ""
        var kinds: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .dropLast()
        {
            let words = line.split(separator: " ", omittingEmptySubsequences: false)
            if line.hasPrefix("# HELP ") {
                name = String(words[2])
                continue
            }
            if line.hasPrefix("# TYPE ") {
                guard words.count == 4, words[2] == name, kinds.updateValue(String(words[3]), forKey: name) == nil
                else {
                    throw TestSupportError("a metric begins twice, or without help: \(line)")
                }
                continue
            }
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]),
                line.hasPrefix(name), kinds[name] != nil
            else { throw TestSupportError("not a sample of \(name): \(line)") }
            let key = String(line[..<space]).replacingOccurrences(of: "ipc_gateway_", with: "")
            guard samples.updateValue(value, forKey: key) == nil else {
                throw TestSupportError("a sample is there twice: \(line)")
            }
        }
        return samples
    }
}
