// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import IPC
internal import IPCProtocol
internal import IPCSample
internal import TLSEngine

/// The calls of the demonstration. What must succeed and what must be refused is checked, so that it proves something.
struct DemoScript {
    var directory: String
    var address: ListenerAddress

    func run() throws {
        let alice = try connect("alice", announcing: "somebody-else")
        try expect(alice, "alice", "sample", "whoami", .undefined, "remote:alice")
        try expect(alice, "alice", "sample", "add", [2, 3], 5)
        try expect(alice, "alice", "storage", "set", ["colour", "blue"], .undefined)
        try expect(alice, "alice", "storage", "get", "colour", "blue")
        let ticks = try alice.listen("sample", "onTick", count: 2)
        say("alice", "listens to sample.onTick", "events \(ticks.map(DemoJSON.text).joined(separator: ", "))")
        try expectRefusal("alice", "calls storage.drop()") { _ = try alice.call("storage", "drop") }

        let ops = try connect("ops", announcing: "ops:night")
        try expect(ops, "ops", "sample", "whoami", .undefined, "ops:night")
        try expect(ops, "ops", "storage", "drop", .undefined, .undefined)
        try expectRefusal("ops", "announces the context remote:alice") {
            _ = try connect("ops", announcing: "remote:alice")
        }
        try expectRefusal("mallory", "connects") { _ = try connect("mallory", announcing: "mallory") }
        try expectRefusal("nobody", "connects without a certificate") { _ = try connect(nil, announcing: "alice") }
        alice.finish()
        ops.finish()
    }

    private func connect(_ name: String?, announcing context: String) throws -> SampleClient {
        let tls = TLSConfiguration(
            role: .client,
            certificateChainFile: name.map { "\(directory)/\($0).pem" },
            privateKeyFile: name.map { "\(directory)/\($0)-key.pem" },
            trustAnchorsFile: "\(directory)/ca.pem",
            applicationProtocols: ["vscode-ipc"]
        )
        return try SampleClientFactory(context: context).connect(to: address.description, tls, "localhost")
    }

    private func expect(
        _ client: SampleClient,
        _ who: String,
        _ channel: IPCString,
        _ command: IPCString,
        _ argument: IPCValue,
        _ expected: IPCValue
    ) throws {
        let result = try client.call(channel, command, argument)
        let text = argument == .undefined ? "" : DemoJSON.text(argument)
        say(who, "calls \(channel).\(command)(\(text))", DemoJSON.text(result))
        guard result == expected else {
            throw SampleError("expected \(DemoJSON.text(expected)), so something is wrong with this build")
        }
    }

    private func expectRefusal(_ who: String, _ what: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            return say(who, what, "refused: \(error)")
        }
        throw SampleError("\(who) \(what): this should have been refused, so something is wrong with this build")
    }

    private func say(_ who: String, _ what: String, _ result: String) {
        let pad = String(repeating: " ", count: max(1, 48 - who.count - what.count))
        Console.say("   \(who) \(what)\(pad)→ \(result)")
    }
}
