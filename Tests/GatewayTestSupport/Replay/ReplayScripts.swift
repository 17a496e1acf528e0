// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import IPCProtocol

/// What the recordings say in prose, as code: by conversation, then by the words of the recording.
enum ReplayScripts {
    typealias ServerAction = @Sendable (ReplayServer) async throws -> Void
    typealias ClientAction = @Sendable (ReplayClient) async throws -> Void

    /// What the application of the server does. What is not here is for the client.
    static let server: [String: [String: ServerAction]] = [
        "cancel": ["the handler finishes anyway": { $0.test.gate.open() }],
        "events": events,
        "proxy": ["service fires 1": { try await $0.fireService(1) }],
        "reverse": reverse,
        "unknown-channel": [
            "client calls soon.x(2); server registers \"soon\" 100 ms later": { $0.register("soon", whenOpen: 2) }
        ],
    ]

    private static let events: [String: ServerAction] = [
        "server fires \"one\"": { try await $0.fire("one", listeners: 1) },
        "server fires undefined": { try await $0.fire(.undefined, listeners: 1) },
        "server fires [1, VSBuffer 0a]": { try await $0.fire([1, .vsBuffer([10])], listeners: 1) },
        "server fires \"two\"": { try await $0.fire("two", listeners: 1) },
        "server fires \"nobody\" (nothing is sent)": { try await $0.fire("nobody", listeners: 0) },
        "server fires \"three\"": { try await $0.fire("three", listeners: 2) },
    ]

    private static let reverse: [String: ServerAction] = [
        "server calls clientchan.hello(1)": { try await $0.call("hello", 1) },
        "server calls clientchan.fail()": {
            try await $0.expect([.success(["client-ctx", "hello", 1])])
            try await $0.call("fail")
        },
        "server listens to clientchan.onE": {
            try await $0.expect([.success(["client-ctx", "hello", 1]), .failure("client says no")])
            try await $0.listen("onE", "arg")
        },
        "server stops listening": { try await $0.stopListening(after: [7]) },
    ]

    /// What the application of the client does. What is not here is for the server.
    static let client: [String: [String: ClientAction]] = [
        "before-initialize": connecting([
            "client issues, before Initialize: call echo(0) [id 0], listen onPing [id 1], cancelled call [id 2], "
                + "disposed listen [id 3], call echo(4) [id 4]": { try await beforeInitialize($0) }
        ]),
        "big": connecting(big),
        "call-error": connecting(callError),
        "call-success": connecting(callSuccess),
        "cancel": connecting(cancel),
        "connect": connecting([:]),
        "connect-object-ctx": [
            "client connects, context {\"remoteAuthority\":\"ssh-remote+box\",\"clientId\":\"renderer\"}": {
                try $0.connect(["remoteAuthority": "ssh-remote+box", "clientId": "renderer"])
            },
            "client calls test.ctx()": { try $0.call("test", "ctx") },
        ],
        "dispose": connecting(dispose),
        "events": connecting(clientEvents),
        "proxy": connecting(proxy),
        "reverse": connecting([
            "client fires 7": { try await $0.fire(7) },
            "client calls test.echo(1)": { try $0.call("test", "echo", 1) },
        ]),
        "unknown-channel": connecting(unknownChannel),
    ]

    /// What the application of the client did before a step without that the recording says so.
    static let unsaid: [String: (step: Int, action: ClientAction)] = [
        "before-initialize": (10, { try await $0.unlisten(1) })
    ]

    /// How calls end where it is not what the recorded answers say.
    static let outcomes: [String: [CallOutcome]] = [
        "before-initialize": [.success(0), .cancelled, .success(4)],
        "cancel": [.cancelled, .cancelled, .cancelled, .success("y")],
        "dispose": [.ended(.disposed)],
    ]

    /// What listeners of the client hear.
    static let heard: [String: [IPCValue]] = [
        "events": ["one", .undefined, [1, .vsBuffer([10])], "two", "three", "three"],
        "proxy": [1],
    ]

    private static func connecting(_ actions: [String: ClientAction]) -> [String: ClientAction] {
        var actions = actions
        actions["client connects, context \"client-ctx\""] = { try $0.connect("client-ctx") }
        return actions
    }

    private static func beforeInitialize(_ client: ReplayClient) async throws {
        try client.call("test", "echo", 0)
        try client.listen(1, "test", "onPing")
        try client.call("test", "echo", 2)
        client.cancelLatestCall()
        try client.listen(3, "test", "onPing")
        try await client.unlisten(3)
        try client.call("test", "echo", 4)
    }

    private static func pattern(_ seed: Int) -> [UInt8] {
        (0..<102_400).map { UInt8(truncatingIfNeeded: $0 * 31 + seed) }
    }

    private static let big: [String: ClientAction] = [
        "client calls test.echo(VSBuffer 102400 bytes, pattern seed 7)": {
            try $0.call("test", "echo", .vsBuffer(pattern(7)))
        },
        "client calls test.echo(Buffer 102400 bytes, pattern seed 9)": {
            try $0.call("test", "echo", .buffer(pattern(9)))
        },
        "client calls test.echo(string of 102400 characters)": {
            let text = String(decoding: (0..<102_400).map { UInt8(0x61 + $0 % 26) }, as: UTF8.self)
            try $0.call("test", "echo", IPCValue(text))
        },
    ]

    private static let callError: [String: ClientAction] = [
        "client calls test.error(\"boom\")": { try $0.call("test", "error", "boom") },
        "client promise rejected with Error name=\"Error\" message=\"boom\" "
            + "stack=\"Error: boom\\n    at first (file.js:1:1)\\n    at second (file.js:2:2)\"": {
                let stack = "Error: boom\n    at first (file.js:1:1)\n    at second (file.js:2:2)"
                try await $0.expectLatest(.error(.init(name: "Error", message: "boom", stack: IPCString(stack))))
            },
        "client calls test.typed(\"no stack\")": { try $0.call("test", "typed", "no stack") },
        "client promise rejected with Error name=\"TypeError\" message=\"no stack\" stack=undefined": {
            try await $0.expectLatest(.error(.init(name: "TypeError", message: "no stack")))
        },
        "client calls test.nope()": { try $0.call("test", "nope") },
        "client promise rejected with Error name=\"Error\" message=\"Unknown command: nope\" "
            + "stack=\"Error: Unknown command: nope\"": {
                let text: IPCString = "Unknown command: nope"
                try await $0.expectLatest(
                    .error(.init(name: "Error", message: text, stack: "Error: Unknown command: nope"))
                )
            },
        "client calls test.reject(\"text\")": { try $0.call("test", "reject", "text") },
        "client promise rejected with value \"text\"": { try await $0.expectLatest(.failure("text")) },
        "client calls test.reject({code:7})": { try $0.call("test", "reject", ["code": 7]) },
        "client promise rejected with value {\"code\":7}": { try await $0.expectLatest(.failure(["code": 7])) },
        "client calls test.reject(undefined)": { try $0.call("test", "reject", .undefined) },
        "client promise rejected with value undefined": { try await $0.expectLatest(.failure(.undefined)) },
        "client calls test.reject(null)": { try $0.call("test", "reject", .null) },
        "client promise rejected with value null": { try await $0.expectLatest(.failure(.null)) },
    ]

    private static let callSuccess: [String: ClientAction] = [
        "client calls test.echo()": { try $0.call("test", "echo") },
        "client calls test.echo(null)": { try $0.call("test", "echo", .null) },
        "client calls test.echo(5)": { try $0.call("test", "echo", 5) },
        "client calls test.echo(-5)": { try $0.call("test", "echo", -5) },
        "client calls test.echo(1.5)": { try $0.call("test", "echo", 1.5) },
        "client calls test.echo(true)": { try $0.call("test", "echo", true) },
        "client calls test.echo(\"é\")": { try $0.call("test", "echo", "é") },
        "client calls test.echo([1,[undefined,null]])": { try $0.call("test", "echo", [1, [.undefined, .null]]) },
        "client calls test.echo({a:1})": { try $0.call("test", "echo", ["a": 1]) },
        "client calls test.echo(Buffer 010203)": { try $0.call("test", "echo", .buffer([1, 2, 3])) },
        "client calls test.echo(VSBuffer 010203)": { try $0.call("test", "echo", .vsBuffer([1, 2, 3])) },
        "client calls test.add([2,3])": { try $0.call("test", "add", [2, 3]) },
    ]

    private static let cancel: [String: ClientAction] = [
        "client calls test.cancellable()": { try $0.call("test", "cancellable") },
        "client cancels": { $0.cancelLatestCall() },
        "client calls test.release()": { try $0.call("test", "release") },
        "client cancels; its promise rejects at once": {
            $0.cancelLatestCall()
            try await $0.expectLatest(.cancelled)
        },
        "client calls test.echo(\"x\") with an already cancelled token": {
            try $0.callCancelled("test", "echo", "x")
        },
        "client calls test.echo(\"y\")": { try $0.call("test", "echo", "y") },
        "client cancels after completion": {
            try await $0.expectLatest(.success("y"))
            $0.cancelLatestCall()
        },
    ]

    private static let dispose: [String: ClientAction] = [
        "client calls test.never() and listens to test.onPing": {
            try $0.call("test", "never")
            try $0.listen(1, "test", "onPing")
        },
        "client.dispose()": { try $0.dispose() },
        "pending call rejected with name=Canceled": { try await $0.expectLatest(.ended(.disposed)) },
    ]

    private static let clientEvents: [String: ClientAction] = [
        "client adds listener 1 to test.onPing": { try $0.listen(1, "test", "onPing", ["filter": "x"], keeping: true) },
        "client adds listener 2 to the same event object (nothing is sent)": {
            try await $0.waitUntilHeard(3)
            try $0.listenAgain(2)
        },
        "client removes listener 1 (nothing is sent)": { try await $0.unlisten(1) },
        "client removes listener 2": { try await $0.unlisten(2, heard: 4) },
        "client subscribes again through the same event object": { try $0.listenAgain(1) },
        "client creates a second event object for the same event (new id)": { try $0.listen(2, "test", "onPing") },
        "client removes both": {
            try await $0.unlisten(1, heard: 6)
            try await $0.unlisten(2)
        },
    ]

    private static let proxy: [String: ClientAction] = [
        "proxy.add(1, 2)": { try $0.call("svc", "add", [1, 2]) },
        "proxy.none()": { try $0.call("svc", "none", []) },
        "proxy.uri(URI.file(\"/x\"))": { try $0.call("svc", "uri", [["$mid": 1, "path": "/x", "scheme": "file"]]) },
        "proxy.fail()": { try $0.call("svc", "fail", []) },
        "proxy.onDidX(listener)": { try $0.listen(1, "svc", "onDidX") },
        "dispose": { try await $0.unlisten(1, heard: 1) },
        "proxy with context: add(5)": { try $0.call("svc", "add", [["windowId": 3], 5]) },
    ]

    private static let unknownChannel: [String: ClientAction] = [
        "client calls nochan.x(1)": { try $0.call("nochan", "x", 1) },
        "client listens to nochan.onX": { try $0.listen(1, "nochan", "onX") },
        "rejected name=\"Unknown channel\" message=\"Channel name 'nochan' timed out after 1000ms\" stack=undefined": {
            let text: IPCString = "Channel name 'nochan' timed out after 1000ms"
            try await $0.expectLatest(.error(.init(name: "Unknown channel", message: text)))
        },
        "client calls soon.x(2); server registers \"soon\" 100 ms later": { try $0.call("soon", "x", 2) },
    ]
}
