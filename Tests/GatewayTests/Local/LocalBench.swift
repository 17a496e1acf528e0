// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import GatewayTestSupport
import IPCProtocol

extension GatewayBench {
    /// A gateway that listens at a Unix socket too, with mode 0666 and an entry for the user that the tests run as.
    static func local(
        upstream: Upstream = .recording,
        isEager: Bool = false,
        mode: String = "0666",
        configure: (inout GatewayConfigurationText) throws -> Void = { _ in }
    ) throws -> GatewayBench {
        // Relative, so that the socket stands beside the configuration.
        try GatewayBench(upstream: upstream, isEager: isEager) { configuration in
            configuration.listeners = ["{ unix: local.sock, mode: \"\(mode)\" }"]
            configuration.clients.append(entry("uid: \"\(getuid())\"", context: "local:{uid}"))
            try configure(&configuration)
        }
    }

    /// An entry of `clients:` that allows everything.
    static func entry(_ match: String, context: String) -> String {
        "{ match: { \(match) }, context: \"\(context)\", \(GatewayConfigurationText.everything) }"
    }

    /// The path of the Unix socket.
    var localSocket: String { directory.file("local.sock") }

    /// Connects to the Unix socket.
    func connectLocally() -> TestClient {
        TestClient(unix: localSocket)
    }

    /// The same, announces a context and waits for the gateway's `[200]`.
    func openLocally() throws -> TestClient {
        let client = connectLocally()
        client.open()
        try client.receive(count: RecordingUpstream.initialize.count)
        return client
    }

    /// A copy of the program, which others may run.
    func copyOfProgram(_ name: String) throws -> String {
        let path = directory.file(name)
        try FileManager.default.copyItem(atPath: GatewayProcess.program(), toPath: path)
        chmod(directory.path, 0o755)
        return path
    }
}
