// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// A client of the server in MinimalServer:  swift run example-client

import IPC
import IPCTransport

let path = CommandLine.arguments.dropFirst().first ?? "/tmp/greeter.sock"
let client = try await IPCClient.connect(to: .unix(path), context: "window:1")
let greeting: String = try await client.channel("greeter").callMethod("greet", "world")
print(greeting)
client.dispose()
