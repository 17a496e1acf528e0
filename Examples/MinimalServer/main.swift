// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A server on a Unix socket:  swift run example-server

import IPC
import IPCTransport

let path = CommandLine.arguments.dropFirst().first ?? "/tmp/greeter.sock"
let server = IPCServer<String>()
server.registerChannel(
    "greeter",
    ServiceTable<String>().method("greet") { (name: String) in "Hello, \(name)!" }
)
let listener = try await server.serve(.unix(path))
print("listening on \(listener.address); ctrl-C ends it")
await listener.waitUntilClosed()
