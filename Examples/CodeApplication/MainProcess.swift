// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import IPC
import IPCTransport

/// The main process: owns the server, starts the windows and talks to them.
enum MainProcess {
    static func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("code-\(getpid())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let server = IPCServer<String>()
        server.registerChannel("files", FileServiceChannel<String>(Files()))
        let messages = MainMessages(server)
        messages.handle("version") { event, _ in IPCValue("1.0 for \(event.sender.context)") }
        let listener = try await server.serve(.unix("\(folder)/main.sock"))

        let windows = try (1...2).map { try start(window: $0, "\(folder)/main.sock") }
        defer { for window in windows { window.terminate() } }

        // A router waits for the window that it is asked for, so nobody has to look whether it is there.
        let second = WindowServiceClient(server.channel("window", router: StaticRouter { $0 == "window:2" }))
        print(try await second.show("hello"))
        let first = WindowServiceClient(server.channel("window", router: StaticRouter { $0 == "window:1" }))
        print(try await first.show("hello too"))

        // Of all windows at once, whichever of them it is that fires.
        let all = WindowServiceClient(server.channel("window") { $0.hasPrefix("window:") })
        var focus = all.onDidFocus.makeAsyncIterator()
        for (number, window) in [(1, first), (2, second)] {
            _ = try await window.show("focus")
            let focused = try await focus.next()
            print("window \(focused ?? 0) of \(server.connections.count) has the focus")
            precondition(focused == number)
        }

        messages.sendToAll("quit", "good-bye")
        for window in windows { window.waitUntilExit() }
        print("all windows are closed")
        server.dispose()
        await listener.close()
    }

    private static func start(window number: Int, _ path: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["window", "\(number)", path]
        try process.run()
        return process
    }
}
