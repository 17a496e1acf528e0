// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A server on a Unix socket:  swift run example-server /tmp/greeter.sock

import IPC
import IPCTransport

let server = IPCServer<String>()
server.registerChannel(
    "greeter",
    ServiceTable<String>().method("greet") { (name: String) in "Hello, \(name)!" }
)
let listener = try await server.serve(.unix(CommandLine.arguments[1]))
print("listening on \(listener.address); ctrl-C ends it")
await listener.waitUntilClosed()
