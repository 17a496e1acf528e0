// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// To whom a session belongs, so that a token alone opens nothing: the entry, the identity and the context that it was
/// begun with. Not the certificate, because those that live for an hour are replaced while sessions last.
public struct SessionOwner: Sendable {
    private let entry: Int
    private let field: IdentityField
    // As bytes: two spellings of a name are two identities.
    private let value: [UInt8]
    private let context: IPCValue

    /// The owner of a session whose context has been accepted.
    public init(_ resolution: IdentityMap.Resolution, context: IPCValue) {
        entry = resolution.entry
        field = resolution.field
        value = Array(resolution.value.utf8)
        self.context = context
    }

    /// Whether somebody has another identity than the owner, whatever their entries are.
    public func isAnother(_ resolution: IdentityMap.Resolution) -> Bool {
        resolution.field != field || !resolution.value.utf8.elementsEqual(value)
    }

    /// Whether somebody is the owner. Both must have been found by the same identity map, because entries are known by
    /// their places.
    ///
    /// - Returns: Nil for the owner; otherwise `not-yours`, or `revoked` where the same identity belongs to another entry,
    ///   or may not have the context.
    public func refusal(of resolution: IdentityMap.Resolution, limits: IPCLimits) -> SessionCode? {
        if isAnother(resolution) { return .notYours }
        guard resolution.entry == entry, mayHaveContext(resolution, limits: limits) else { return .revoked }
        return nil
    }

    /// Whether the context of the session is one that somebody may have.
    public func mayHaveContext(_ resolution: IdentityMap.Resolution, limits: IPCLimits) -> Bool {
        let announced = IPCMessage.context(context)
        return (try? resolution.grant.context(announced: announced.span, limits: limits)) == context
    }
}
