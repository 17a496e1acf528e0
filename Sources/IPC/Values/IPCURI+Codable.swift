// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension IPCURI: Codable {
    /// In the order VS Code writes them.
    private enum CodingKeys: String, CodingKey {
        case mid = "$mid"
        case fsPath, external, path, scheme, authority, query, fragment
    }

    /// Reads the object a URI serialises itself as, or VS Code's `UriComponents`, which have no `$mid`.
    ///
    /// `external` and `fsPath`, which VS Code believes even when they contradict the components, are not looked at.
    ///
    /// - Parameter decoder: The decoder.
    /// - Throws: `DecodingError` when a `$mid` is not 1, a component is not a string, or the components break the rules of
    ///   ``init(scheme:authority:path:query:fragment:)``. Missing components are empty; but without a `$mid` there must be
    ///   a `scheme`, or every object would be a URI.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let mid = try container.decodeIfPresent(Int64.self, forKey: .mid)
        if let mid, mid != IPCMarker.uri {
            throw DecodingError.dataCorruptedError(
                forKey: .mid,
                in: container,
                debugDescription: "Not a URI's $mid, 1."
            )
        }
        func component(_ key: CodingKeys) throws -> String {
            try container.decodeIfPresent(String.self, forKey: key) ?? ""
        }
        let scheme = mid == nil ? try container.decode(String.self, forKey: .scheme) : try component(.scheme)
        let uri = IPCURI(
            unresolved: scheme,
            authority: try component(.authority),
            path: try component(.path),
            query: try component(.query),
            fragment: try component(.fragment)
        )
        guard let uri else {
            throw DecodingError.corrupted(decoder.codingPath, "The components do not make a URI.")
        }
        self = uri
    }

    /// Writes `{"$mid":1,…}`, members in VS Code's order, without empty components.
    ///
    /// - Parameter encoder: The encoder.
    /// - Throws: What the encoder throws.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(IPCMarker.uri, forKey: .mid)
        func encode(_ text: String, _ key: CodingKeys) throws {
            if !text.isEmpty {
                try container.encode(text, forKey: key)
            }
        }
        if writtenCaches.contains(.fsPath) {
            try encode(filePath, .fsPath)
        }
        if writtenCaches.contains(.external) {
            try encode(description, .external)
        }
        try encode(path, .path)
        try encode(scheme, .scheme)
        try encode(authority, .authority)
        try encode(query, .query)
        try encode(fragment, .fragment)
    }
}
