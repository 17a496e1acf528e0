// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import GatewayCore
internal import IPC
internal import IPCProtocol
internal import IPCTransport
internal import TLSEngine

/// The calls of the demonstration. What must succeed and what must be refused is checked, so that it proves something.
struct DemoScript {
    var directory: String
    var address: ListenerAddress

    func run() async throws {
        let alice = try await connect("alice", announcing: "somebody-else")
        try await expect(alice, "alice", "sample", "whoami", .undefined, "remote:alice")
        try await expect(alice, "alice", "sample", "add", [2, 3], 5)
        try await expect(alice, "alice", "storage", "set", ["colour", "blue"], .undefined)
        try await expect(alice, "alice", "storage", "get", "colour", "blue")
        try await expectTicks(alice, "alice")
        try await expectRefusal("alice", "calls storage.drop()") {
            _ = try await alice.channel("storage").call("drop")
        }

        let ops = try await connect("ops", announcing: "ops:night")
        try await expect(ops, "ops", "sample", "whoami", .undefined, "ops:night")
        try await expect(ops, "ops", "storage", "drop", .undefined, .undefined)
        try await expectRefusal("ops", "announces the context remote:alice") {
            _ = try await connect("ops", announcing: "remote:alice")
        }
        try await expectRefusal("mallory", "connects") { _ = try await connect("mallory", announcing: "mallory") }
        try await expectRefusal("nobody", "connects without a certificate") {
            _ = try await connect(nil, announcing: "alice")
        }
        for client in [alice, ops] {
            client.dispose()
            _ = await client.waitUntilClosed()
        }
    }

    private func connect(_ name: String?, announcing context: String) async throws -> IPCClient<String> {
        let tls = TLSConfiguration(
            role: .client,
            certificateChainFile: name.map { "\(directory)/\($0).pem" },
            privateKeyFile: name.map { "\(directory)/\($0)-key.pem" },
            trustAnchorsFile: "\(directory)/ca.pem"
        )
        let gateway = ClientEndpoint.tls(host: address.host, port: Int(address.port), configuration: tls)
        let client = try await IPCClient.connect(to: gateway, context: context)
        try await client.waitUntilReady()
        return client
    }

    private func expect(
        _ client: IPCClient<String>,
        _ who: String,
        _ channel: IPCString,
        _ command: IPCString,
        _ argument: IPCValue,
        _ expected: IPCValue
    ) async throws {
        let result = try await client.channel(channel).call(command, argument)
        let text = argument == .undefined ? "" : ValueText.line(argument)
        say(who, "calls \(channel).\(command)(\(text))", PrintableText.line(result))
        guard result == expected else {
            throw CommandFailure(
                "expected \(PrintableText.line(expected)); something is wrong with this build",
                .failure
            )
        }
    }

    private func expectTicks(_ client: IPCClient<String>, _ who: String) async throws {
        var ticks: [String] = []
        for try await tick in client.channel("sample").listen("onTick") {
            ticks.append(ValueText.line(tick))
            if ticks.count == 2 { break }
        }
        guard ticks.count == 2 else {
            throw CommandFailure("no events came; something is wrong with this build", .failure)
        }
        say(who, "listens to sample.onTick", "events \(ticks.joined(separator: ", "))")
    }

    private func expectRefusal(_ who: String, _ what: String, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let error where !(error is CancellationError) {
            return say(who, what, "refused: \((error as? ConnectionEnd)?.reason ?? "\(error)")")
        }
        let message = "\(who) \(what): this should have been refused; something is wrong with this build"
        throw CommandFailure(message, .failure)
    }

    private func say(_ who: String, _ what: String, _ result: String) {
        let pad = String(repeating: " ", count: max(1, 48 - who.count - what.count))
        Console.say("   \(who) \(what)\(pad)→ \(result)")
    }
}
