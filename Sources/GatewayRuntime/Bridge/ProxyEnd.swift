// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore

/// The proxy that a connection comes through, and what it says of the client.
struct ProxyEnd {
    /// The proxy's address and port.
    let address: ListenerAddress
    private var reader = ProxyHeaderReader()
    private var hasAnnounced = false

    init(_ address: ListenerAddress) {
        self.address = address
    }

    /// Takes what belongs to the header.
    ///
    /// - Returns: How many bytes that are.
    mutating func receive(_ bytes: UnsafeRawBufferPointer) throws(ProxyHeaderRefusal) -> Int {
        guard isInsideHeader else { return 0 }
        return try reader.receive(bytes.assumingMemoryBound(to: UInt8.self).span)
    }

    /// Whether the header is not complete.
    var isInsideHeader: Bool { reader.header == nil }

    /// How many bytes the header had; 0 while it is not complete.
    var headerByteCount: Int { reader.byteCount }

    /// Whether the proxy speaks for itself.
    var isHealthCheck: Bool { reader.header?.isLocal == true }

    /// The client's address and port; nil when the header is not complete or does not say.
    var client: ProxyHeader.Endpoint? { reader.header?.ends?.source }

    /// The client's address and port, once, as soon as they are known.
    mutating func takeAnnouncement() -> ProxyHeader.Endpoint? {
        guard !hasAnnounced, let client else { return nil }
        hasAnnounced = true
        return client
    }
}
