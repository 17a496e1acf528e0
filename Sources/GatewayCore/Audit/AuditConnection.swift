// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// What the audit log says of one connection, known once its context has been accepted.
public struct AuditConnection: Sendable {
    /// Tells this connection from all others, of other runs too.
    public let id: String
    /// The client's address and port; of a local client its user, process and program.
    public let peer: String?
    /// The address and port of the proxy that it comes through, which has said what its own is.
    public let proxy: String?
    /// The address that it connected to.
    public let listener: String
    /// The field that decided who it is, of its certificate or of what the kernel says of it.
    public let identityField: String
    /// The value of that field.
    public let identity: String
    /// All that its entry went by: fields, and the values that matched.
    public let match: [IdentityField: [String]]
    /// The context that the server sees: a text, or an object of texts.
    public let context: IPCValue
    /// Whether the gateway made the context, instead of the client.
    public let isContextAssigned: Bool
    /// The place of the client's entry, such as `clients[0]`.
    public let entry: String
    /// The version of TLS.
    public let tlsVersion: String?
    /// The cipher suite.
    public let cipher: String?
    /// SHA-256 of the certificate.
    public let fingerprint: String?
    /// The certificate's subject.
    public let subject: String?
    /// The number of the configuration by which it is judged.
    public let generation: Int

    /// The members that all lines of the connection have, rendered once, beginning with a comma.
    let common: [UInt8]
    /// Whether one of them has been cut.
    let isCommonCut: Bool

    /// Describes a connection; see the properties.
    public init(
        id: String,
        peer: String? = nil,
        proxy: String? = nil,
        listener: String,
        identityField: String,
        identity: String,
        match: [IdentityField: [String]] = [:],
        context: IPCValue,
        isContextAssigned: Bool,
        entry: String,
        tlsVersion: String? = nil,
        cipher: String? = nil,
        fingerprint: String? = nil,
        subject: String? = nil,
        generation: Int
    ) {
        self.id = id
        self.peer = peer
        self.proxy = proxy
        self.listener = listener
        self.identityField = identityField
        self.identity = identity
        self.match = match
        self.context = context
        self.isContextAssigned = isContextAssigned
        self.entry = entry
        self.tlsVersion = tlsVersion
        self.cipher = cipher
        self.fingerprint = fingerprint
        self.subject = subject
        self.generation = generation
        var text = AuditText(capacity: 192 + id.utf8.count + identity.utf8.count)
        text.member(.connection, id)
        text.member(.identityField, identityField)
        text.member(.identity, identity)
        text.member(.context, context: context)
        text.member(.generation, generation)
        common = text.bytes
        isCommonCut = text.isCut
    }

    /// The same connection, judged by another configuration.
    ///
    /// - Parameters:
    ///   - generation: The number of the configuration.
    ///   - resolution: Who the client is there.
    public func judged(by generation: Int, _ resolution: IdentityMap.Resolution) -> AuditConnection {
        AuditConnection(
            id: id,
            peer: peer,
            proxy: proxy,
            listener: listener,
            identityField: identityField,
            identity: identity,
            match: resolution.match,
            context: context,
            isContextAssigned: resolution.isContextAssigned,
            entry: "clients[\(resolution.entry)]",
            tlsVersion: tlsVersion,
            cipher: cipher,
            fingerprint: fingerprint,
            subject: subject,
            generation: generation
        )
    }
}
