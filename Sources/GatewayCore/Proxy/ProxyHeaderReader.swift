// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Takes the header of the PROXY protocol off the beginning of a connection, however it is cut.
public struct ProxyHeaderReader: Sendable {
    /// What has come without being a whole header.
    private var kept: [UInt8] = []
    /// The header, once it is there.
    public private(set) var header: ProxyHeader?
    /// How many bytes the header has, once it is there.
    public private(set) var byteCount = 0

    /// Nothing has come.
    public init() {}

    /// Takes bytes.
    ///
    /// - Returns: How many of them belong to the header; what follows is the client's. All of them while it is not complete.
    /// - Throws: Why they are no header that is believed.
    public mutating func receive(_ bytes: Span<UInt8>) throws(ProxyHeaderRefusal) -> Int {
        guard header == nil else { return 0 }
        let before = kept.count
        // What follows the longest header cannot be part of one.
        for index in 0..<min(bytes.count, max(0, ProxyHeader.longest - before)) { kept.append(bytes[index]) }
        guard case .complete(let header, let byteCount) = try ProxyHeader.read(kept.span) else { return bytes.count }
        self.header = header
        self.byteCount = byteCount
        kept = []
        return byteCount - before
    }
}
