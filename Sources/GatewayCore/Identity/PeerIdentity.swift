// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// What proves who a client is.
///
/// There is no third way, and no client has both: a certificate has no values for the fields of local clients, and a
/// local client has none for those of certificates (`IdentityField.values(in:)`).
public enum PeerIdentity: Sendable, Hashable {
    /// A certificate that TLS has verified.
    case certificate(CertificateIdentity)
    /// What the kernel says of a process on this machine.
    case local(LocalPeer)
}
