// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCTransport

/// A window: a client of the main process with services of its own.
enum WindowProcess {
    static func run(number: Int, path: String) async throws {
        let client = try await IPCClient.connect(to: .unix(path), context: "window:\(number)")
        client.registerChannel("window", WindowServiceChannel<String>(Window(number: number)))
        let messages = RendererMessages(client)
        let (farewells, farewell) = AsyncStream.makeStream(of: String.self)
        let subscription = messages.on("quit") { farewell.yield($0.first?.string ?? "") }

        let files = FileServiceClient(client.channel("files"))
        var opened = files.onDidOpen.makeAsyncIterator()
        let list = try await files.list("/")
        if let file = list.first { try await files.open(file) }
        let version = try await messages.invoke("version").string ?? "?"
        print(
            "window \(number): \(list.count) files, \(try await opened.next() ?? "none") was opened, version \(version)"
        )
        do {
            _ = try await files.list("/nowhere")
        } catch let error as RemoteError {
            print("window \(number): \(error)")
        }

        for await word in farewells {
            print("window \(number): \(word)")
            break
        }
        subscription.cancel()
        client.dispose()
    }
}
