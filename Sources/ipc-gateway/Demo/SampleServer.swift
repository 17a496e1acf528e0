// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import IPCTransport

/// A small server on a Unix socket, with something to call and something to listen to.
///
/// - `sample.echo(x)` gives `x` back, `sample.add([a, b, …])` the sum, `sample.whoami()` the caller's context;
///   `sample.sleep(ms)` answers after that time unless it is cancelled.
/// - `sample.onTick` fires a growing number every 100 ms.
/// - `storage.get(key)`, `storage.set([key, value])` and `storage.drop()` keep values for as long as the server runs;
///   `storage.onDidChange` fires the key of each change.
struct SampleServer {
    private let server: IPCServer<IPCValue>
    private let listener: IPCListener

    /// Listens on a socket that only this user may connect to.
    ///
    /// - Parameters:
    ///   - path: The socket.
    ///   - isPersistent: Whether it keeps sessions for clients that lose their connection.
    /// - Throws: `ListenError`.
    init(unix path: String, isPersistent: Bool = false) async throws {
        server = IPCServer()
        server.registerChannel("sample", SampleChannel())
        server.registerChannel("storage", StorageChannel())
        listener =
            isPersistent
            ? try await server.serve(.unix(path), sessions: SessionHosting()) : try await server.serve(.unix(path))
    }

    /// Ends it, connections included.
    func stop() async {
        await listener.close()
        server.dispose()
    }
}

extension RemoteError {
    /// What the sample's channels say to a command or an argument that they do not know.
    static func sample(_ message: String) -> Self {
        Self(name: "Error", message: IPCString(message))
    }
}
