// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Application protocols in the form of the wire (each after its length), at an address that does not move.
///
/// OpenSSL's callback borrows it: it must live as long as the SSL_CTX.
final class ApplicationProtocolList {
    private let wire: UnsafeMutableBufferPointer<UInt8>

    init(_ names: [String]) throws(TLSConfigurationError) {
        var wire: [UInt8] = []
        for name in names {
            guard let length = UInt8(exactly: name.utf8.count), length > 0 else {
                let message = "the application protocol \"\(name)\" must have 1 to 255 bytes"
                throw TLSConfigurationError(message: message)
            }
            wire.append(length)
            wire += name.utf8
        }
        guard wire.count <= Int(UInt16.max) else {
            throw TLSConfigurationError(message: "the application protocols are too many to be offered")
        }
        self.wire = .allocate(capacity: wire.count)
        _ = self.wire.initialize(from: wire)
    }

    deinit {
        self.wire.deallocate()
    }

    func install(in context: OpaquePointer, role: TLSConfiguration.Role) {
        guard !self.wire.isEmpty else {
            return
        }
        switch role {
        case .server:
            SSL_CTX_set_alpn_select_cb(context, selectProtocol, Unmanaged.passUnretained(self).toOpaque())
        case .client:
            SSL_CTX_set_alpn_protos(context, self.wire.baseAddress, UInt32(self.wire.count))
        }
    }

    fileprivate func select(
        from offered: UnsafePointer<UInt8>?,
        _ offeredCount: UInt32,
        into selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ selectedCount: UnsafeMutablePointer<UInt8>?
    ) -> Int32 {
        var found: UnsafeMutablePointer<UInt8>?
        let own = UInt32(self.wire.count)
        let outcome = SSL_select_next_proto(&found, selectedCount, self.wire.baseAddress, own, offered, offeredCount)
        guard outcome == OPENSSL_NPN_NEGOTIATED, let found else {
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        selected?.pointee = UnsafePointer(found)
        return SSL_TLSEXT_ERR_OK
    }
}

/// Called for a client that offers protocols. `context` is an `ApplicationProtocolList` that is borrowed.
private func selectProtocol(
    ssl: OpaquePointer?,
    selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    selectedCount: UnsafeMutablePointer<UInt8>?,
    offered: UnsafePointer<UInt8>?,
    offeredCount: UInt32,
    context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    let list = Unmanaged<ApplicationProtocolList>.fromOpaque(context).takeUnretainedValue()
    return list.select(from: offered, offeredCount, into: selected, selectedCount)
}
