// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A typed service, its server and a client of it:  swift run example-service

import IPC
import IPCTransport

let path = CommandLine.arguments.dropFirst().first ?? "/tmp/storage.sock"
let server = IPCServer<String>()
server.registerChannel("storage", StorageServiceChannel<String>(Storage()))
let listener = try await server.serve(.unix(path))

let client = try await IPCClient.connect(to: .unix(path), context: "window:1")
let storage: any StorageService = StorageServiceClient(client.channel("storage"))
let changes = AsyncStream(storage.onDidChange)
try await storage.set("colour", to: "blue")
for await key in changes {
    print("changed:", key)
    break
}
print("colour:", try await storage.get("colour") ?? "none")
print("shape:", try await storage.get("shape") ?? "none")

client.dispose()
await listener.close()
