// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import GatewayRuntime

/// What operators reach: the running gateway, and what goes with it.
public struct AdminSubject: Sendable {
    /// The gateway.
    public var gateway: Gateway
    /// Reads its configuration anew.
    public var reloader: Reloader
    /// Its audit log; nil for none.
    public var audit: AuditLog?
    /// The program's version.
    public var version: String

    /// Describes a gateway.
    public init(
        gateway: Gateway,
        reloader: Reloader,
        audit: AuditLog?,
        version: String
    ) {
        self.gateway = gateway
        self.reloader = reloader
        self.audit = audit
        self.version = version
    }
}
