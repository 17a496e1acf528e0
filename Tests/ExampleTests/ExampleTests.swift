// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

/// The programs in Examples/, run as a reader would.
@Suite("The examples")
struct ExampleTests {
    private static func program(_ name: String) throws -> String {
        let folder = URL(fileURLWithPath: try GatewayProcess.program()).deletingLastPathComponent()
        return folder.appendingPathComponent(name).path
    }

    private static func finish(_ child: ChildProcess) throws -> String {
        try eventually("the example ends", within: .seconds(60)) { child.status != nil }
        #expect(child.status == 0, "\(child.errors)")
        return child.output
    }

    @Test("The minimal client gets an answer from the minimal server")
    func minimal() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("greeter.sock")
        let server = try ChildProcess([try Self.program("example-server"), path])
        try eventually("the server listens") { FileManager.default.fileExists(atPath: path) }
        let client = try ChildProcess([try Self.program("example-client"), path])
        #expect(try Self.finish(client) == "Hello, world!\n")
        server.signal(SIGTERM)
    }

    @Test("The typed service stores, tells of changes and answers")
    func typed() throws {
        let directory = try TemporaryDirectory()
        let child = try ChildProcess([try Self.program("example-service"), directory.file("storage.sock")])
        #expect(try Self.finish(child) == "changed: colour\ncolour: blue\nshape: none\n")
    }

    @Test("The application's windows call main, and main calls the windows that its routers pick")
    func application() throws {
        let child = try ChildProcess([try Self.program("code-application")])
        let lines = Set(try Self.finish(child).split(separator: "\n").map(String.init))
        for expected in [
            "window 1 shows 'hello too'", "window 2 shows 'hello'",
            "window 1 of 2 has the focus", "window 2 of 2 has the focus",
            "window 1: 2 files, hello.txt was opened, version 1.0 for window:1",
            "window 2: FileNotFound: there is no /nowhere",
            "window 1: good-bye", "window 2: good-bye", "all windows are closed",
        ] {
            #expect(lines.contains(expected), "\(expected)")
        }
    }
}
