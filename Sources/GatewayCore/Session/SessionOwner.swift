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

    /// Whether somebody is the owner.
    ///
    /// - Returns: Nil for the owner; otherwise `not-yours`, or `revoked` where the same identity may not have the context
    ///   any more.
    public func refusal(of resolution: IdentityMap.Resolution, limits: IPCLimits) -> SessionCode? {
        guard resolution.field == field, resolution.value.utf8.elementsEqual(value) else { return .notYours }
        guard resolution.entry == entry else { return .revoked }
        let announced = IPCMessage.context(context)
        let now = try? resolution.grant.context(announced: announced.span, limits: limits)
        return now == context ? nil : .revoked
    }
}
