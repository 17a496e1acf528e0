// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// OpenSSL itself, as a part of the process.
public enum TLSLibrary {
    /// Keeps OpenSSL from taking itself apart when the process exits. A program whose threads may be in the middle of
    /// something then, such as reading a key, would crash instead of ending.
    ///
    /// Call it first thing, before anything else of this module is used; later it is too late.
    public static func staysUntilTheEnd() {
        OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
    }
}
