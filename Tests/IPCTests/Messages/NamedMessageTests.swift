// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCProtocol
import Synchronization
import Testing

@Suite("Named messages")
struct NamedMessageTests {
    /// A main process and two windows.
    private struct Stage {
        let server = IPCServer<String>()
        let main: MainMessages<String>
        let windows: [RendererMessages<String>]

        init() async throws {
            let main = MainMessages(server)
            self.main = main
            let server = server
            windows = try (1...2).map { number in
                let (near, far) = MessagePair.make()
                server.accept(far)
                return RendererMessages(try IPCClient(over: near, context: "window:\(number)"))
            }
            try await eventually("both windows are there") { main.peers.count == 2 }
        }
    }

    /// What arrives, in order.
    private final class Inbox: Sendable {
        private let messages = Mutex<[IPCValue]>([])
        var all: [IPCValue] { messages.withLock { $0 } }
        func add(_ message: IPCValue) { messages.withLock { $0.append(message) } }
    }

    @Test("A window sends, and main replies to the sender only")
    func reply() async throws {
        let stage = try await Stage()
        let inboxes = [Inbox(), Inbox()]
        let subscriptions = [0, 1].map { window in
            stage.windows[window].on("logged") { inboxes[window].add(.array($0)) }
        }
        let listening = stage.main.on("log") { event, arguments in
            event.sender.send("logged", arguments[0], IPCValue(event.sender.context))
        }
        for number in 0..<100 { stage.windows[1].send("log", IPCValue(number)) }
        stage.windows[1].send("nobody listens")
        try await eventually("all replies have come") { inboxes[1].all.count == 100 }
        #expect(inboxes[1].all == (0..<100).map { [IPCValue($0), "window:2"] })
        #expect(inboxes[0].all.isEmpty)
        withExtendedLifetime((subscriptions, listening)) {}
    }

    @Test("Invoking gets the handler's answer, or its failure, or that there is no handler")
    func invoke() async throws {
        let stage = try await Stage()
        stage.main.handle("add") { event, arguments in
            guard let a = arguments[0].double, let b = arguments[1].double else {
                throw RemoteError(name: "TypeError", message: "numbers, please")
            }
            return IPCValue(a + b)
        }
        #expect(try await stage.windows[0].invoke("add", 2, 3) == 5)
        await #expect(throws: RemoteError(name: "TypeError", message: "numbers, please")) {
            try await stage.windows[0].invoke("add", "2", 3)
        }
        stage.main.removeHandler("add")
        await #expect(throws: RemoteError(name: "Error", message: "No handler registered for 'add'")) {
            try await stage.windows[0].invoke("add", 2, 3)
        }
    }

    @Test("Main sends to all windows or to one, and invokes a window's handler")
    func fromMain() async throws {
        let stage = try await Stage()
        let inbox = Inbox()
        let subscriptions = stage.windows.enumerated().map { number, window in
            window.on("theme") { inbox.add([IPCValue(number), $0[0]]) }
        }
        for (number, window) in stage.windows.enumerated() {
            window.handle("title") { _ in IPCValue("title \(number)") }
        }
        stage.main.sendToAll("theme", "dark")
        try await eventually("both have heard") { inbox.all.count == 2 }
        let second = try #require(stage.main.peers.first { $0.context == "window:2" })
        second.send("theme", "light")
        try await eventually("the second has heard") { inbox.all.last == [1, "light"] }
        #expect(try await second.invoke("title") == "title 1")
        withExtendedLifetime(subscriptions) {}
    }

    @Test("A listener that is gone hears nothing more, and the windows are released with their connections")
    func ends() async throws {
        let stage = try await Stage()
        let inbox = Inbox()
        let first = stage.main.on("log") { inbox.add(.array($1)) }
        let second = stage.main.on("log") { inbox.add(.array($1)) }
        stage.windows[0].send("log", 1)
        try await eventually("both listeners have heard") { inbox.all.count == 2 }
        first.cancel()
        stage.windows[0].send("log", 2)
        try await eventually("one has heard") { inbox.all.last == [2] }
        #expect(inbox.all.count == 3)
        weak let connection = stage.server.connections.first
        stage.server.dispose()
        try await eventually("no connection is left") { stage.server.connections.isEmpty && connection == nil }
        withExtendedLifetime(second) {}
    }
}
