// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import IPCSample
internal import TLSEngine

/// Connects sample clients.
struct SampleClientFactory {
    var context: String

    func connect(unix path: String) throws -> SampleClient {
        try ready(try BlockingStream(unix: path))
    }

    func connect(to address: String, _ tls: TLSConfiguration, _ serverName: String) throws -> SampleClient {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            throw SampleError("'\(address)' is not an address and a port, as in 127.0.0.1:7443")
        }
        let host = String(address[..<colon])
        let context = try TLSContext(tls)
        return try ready(try BlockingStream(host: host, port: port, tls: context, serverName: serverName))
    }

    private func ready(_ stream: BlockingStream) throws -> SampleClient {
        let client = try SampleClient(stream, context: IPCValue(context))
        try client.waitUntilReady()
        return client
    }
}
