// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import Testing

@testable import GatewayRuntime

@Suite("Folders that the sandbox allows")
struct SandboxPathsTests {
    private static func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }

    @Test("are that of a file, whether it is there or not")
    func plain() {
        #expect(SandboxPaths.folders(of: "/no/such/file.pem") == ["/no/such"])
        #expect(SandboxPaths.folders(of: "/no//such/./inner/../file.pem") == ["/no/such"])
        #expect(SandboxPaths.folders(of: "/file.pem") == ["/"])
    }

    @Test("are those on the way through links, the last that of the file itself")
    func links() throws {
        let directory = try TemporaryDirectory()
        let (a, b) = (directory.file("a"), directory.file("b"))
        for folder in [a, b, a + "/..v1"] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
        try directory.write("", to: "b/real.pem")
        try Self.link(a + "/elsewhere.pem", to: b + "/real.pem")
        #expect(SandboxPaths.folders(of: a + "/elsewhere.pem") == [a, b])
        try Self.link(a + "/..data", to: "..v1")
        try Self.link(a + "/tls.crt", to: "..data/tls.crt")
        #expect(SandboxPaths.folders(of: a + "/tls.crt") == [a, a, a + "/..v1"])
        #expect(SandboxPaths.folders(of: a + "/..data/tls.crt") == [a, a + "/..v1"])
        try Self.link(a + "/away", to: b)
        #expect(SandboxPaths.folders(of: a + "/away/real.pem") == [b], "a link to elsewhere opens nothing more")
        try Self.link(a + "/loop", to: "loop")
        #expect(SandboxPaths.folders(of: a + "/loop/x").count < 100)
    }
}
