// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What is a file of all that a certificate or a key can be named by.
public enum CredentialPath {
    /// The path of a file that is named plainly or by a `file:` URI; nil for other stores.
    public static func file(_ text: String) -> String? {
        guard let uri = StoreURI(text) else { return text }
        return uri.path
    }
}
