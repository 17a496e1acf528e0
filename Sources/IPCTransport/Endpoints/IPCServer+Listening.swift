// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC

extension IPCServer {
    /// Listens for clients.
    ///
    /// ```swift
    /// let listener = try await server.serve(.unix("/run/app/main.sock"))
    /// ```
    ///
    /// - Parameters:
    ///   - endpoint: Where. A server may listen at several.
    ///   - options: Bounds, deadlines and threads of the connections.
    ///   - admission: Judges each connection by its certificate or address, before anything of it is read; nil lets
    ///     everybody in who gets there.
    /// - Returns: The listener, which goes on, and keeps the server, until it is closed.
    /// - Throws: ``ListenError``; `TLSConfigurationError` for certificates that cannot be used.
    @discardableResult
    public func serve(
        _ endpoint: ServerEndpoint,
        options: TransportOptions = TransportOptions(),
        admission: IPCListener.Admission? = nil
    ) async throws -> IPCListener {
        try await IPCListener.open(endpoint, options: options, admission: admission) { self.accept($0) }
    }

    /// Listens for clients whose sessions outlive their connections; see
    /// ``IPCListener/open(_:sessions:options:admission:acceptSession:accept:)``.
    ///
    /// ```swift
    /// let listener = try await server.serve(.tls(host: "::", port: 7443, configuration: tls), sessions: SessionHosting())
    /// ```
    ///
    /// - Parameters:
    ///   - endpoint: Where. With TLS clients of the plain protocol are served, too.
    ///   - sessions: How long sessions are kept, and how many.
    ///   - options: Bounds, deadlines and threads of the connections.
    ///   - admission: Judges each connection by its certificate or address; nil lets everybody in who gets there.
    /// - Returns: The listener, which goes on, and keeps the server, until it is closed.
    /// - Throws: ``ListenError``; `TLSConfigurationError` for certificates that cannot be used.
    @discardableResult
    public func serve(
        _ endpoint: ServerEndpoint,
        sessions: SessionHosting,
        options: TransportOptions = TransportOptions(),
        admission: (@Sendable (ConnectingPeer) throws -> Void)? = nil
    ) async throws -> IPCListener {
        try await IPCListener.open(
            endpoint,
            sessions: sessions,
            options: options,
            admission: admission,
            acceptSession: { self.accept($0) },
            accept: { self.accept($0) }
        )
    }
}
