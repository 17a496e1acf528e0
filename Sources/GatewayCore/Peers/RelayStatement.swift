// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// What a gateway tells another of a client that it has brought to it: the first thing that it sends, before anything of
/// the client's.
///
/// It is the body of a Control frame, and one value of the protocol: the array `["relay", version, gateway, client, chain]`,
/// where the chain is an array of buffers. The format is described in docs/peers.md.
public struct RelayStatement: Sendable, Hashable {
    /// What is agreed upon by ALPN.
    public static let applicationProtocol = "ipc-gateway-relay"
    /// The version of the statement.
    public static let version = 1
    /// The most bytes that a statement has.
    public static let byteCount = 128 << 10
    /// The most certificates of a client.
    public static let chainCount = 16
    /// What a client's address is cut to, in bytes.
    private static let clientBytes = 128

    /// The name of the gateway that states it.
    public var gateway: String
    /// The client's address, for logs.
    public var client: String
    /// The certificates that the client has shown, DER, its own first.
    public var chain: [[UInt8]]

    /// Makes a statement.
    public init(gateway: String, client: String, chain: [[UInt8]]) {
        self.gateway = gateway
        self.client = client
        self.chain = chain
    }

    /// Reads a statement.
    ///
    /// - Parameter body: The body of the frame.
    /// - Throws: `malformed`, or `unsupported-version`.
    public init(_ body: [UInt8]) throws(SessionFailure) {
        let members: [IPCValue]
        do throws(WireError) {
            let limits = IPCLimits(frameBytes: Self.byteCount, valueDepth: 2, valueElements: 64, jsonDepth: 1)
            members = try ValueDecoder(limits: limits).decode(body.span).array ?? []
        } catch {
            throw SessionFailure(.malformed, "the statement of a peer cannot be read: \(error)")
        }
        guard members.first?.string == "relay", members.count >= 2 else {
            throw SessionFailure(.malformed, "a peer began with something else than a statement")
        }
        guard members[1] == .int(Int32(Self.version)) else {
            throw SessionFailure(.unsupportedVersion, "only version \(Self.version) of relaying is spoken here")
        }
        guard members.count == 5, let gateway = members[2].string, let client = members[3].string,
            let chain = members[4].array, PeerSettings.isName(gateway), Self.isAddress(client)
        else {
            throw SessionFailure(.malformed, "the statement of a peer has other members than it should")
        }
        var certificates: [[UInt8]] = []
        for value in chain {
            guard case .buffer(let bytes) = value, !bytes.isEmpty else {
                throw SessionFailure(.malformed, "the statement of a peer has a certificate that is no bytes")
            }
            certificates.append(bytes)
        }
        guard (1...Self.chainCount).contains(certificates.count) else {
            throw SessionFailure(.malformed, "the statement of a peer has \(certificates.count) certificates")
        }
        self.init(gateway: gateway, client: client, chain: certificates)
    }

    /// Whether a text can be shown to people as a client's address.
    private static func isAddress(_ text: String) -> Bool {
        text.utf8.count <= clientBytes && text.utf8.allSatisfy { (0x20..<0x7F).contains($0) }
    }

    /// The statement as a frame; nil when the chain is too long for one.
    public func frame() -> [UInt8]? {
        guard chain.count <= Self.chainCount else { return nil }
        let client = String(decoding: client.utf8.prefix(Self.clientBytes), as: UTF8.self)
        let body = ValueEncoder.encode(
            .array([
                "relay", IPCValue(Self.version), IPCValue(gateway), IPCValue(client),
                .array(chain.map(IPCValue.buffer)),
            ])
        )
        return body.count <= Self.byteCount ? Frame(type: .control, body: body).encoded() : nil
    }

    /// Looks for a statement at the beginning of what a peer has sent.
    ///
    /// - Returns: Nil until it has come completely; then the statement and how many bytes it took.
    /// - Throws: What is wrong with it, as soon as that is seen.
    public static func first(in bytes: Span<UInt8>) throws(SessionFailure) -> (
        statement: RelayStatement, byteCount: Int
    )? {
        guard let header = FrameHeader(bytes) else { return nil }
        guard header.type == .control, header.id == 0, header.ack == 0, header.bodyLength <= byteCount else {
            throw SessionFailure(.malformed, "a peer began with something else than a statement")
        }
        let end = FrameHeader.byteCount + header.bodyLength
        guard bytes.count >= end else { return nil }
        var body: [UInt8] = []
        body.reserveCapacity(header.bodyLength)
        for index in FrameHeader.byteCount..<end { body.append(bytes[index]) }
        return (try RelayStatement(body), end)
    }
}
