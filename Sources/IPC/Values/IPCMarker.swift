// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// The objects VS Code's proxies turn back into something else (PROTOCOL 6.3).
///
/// VS Code does so in the parameters and results of calls, in arrays and objects up to a depth of 200, never in the
/// payloads of events. Who decodes a type such as ``IPCURI`` asks for a marker where it expects one, so that no such walk
/// is needed; this is for those who look into values they know nothing about.
public enum IPCMarker {
    /// What a marked object stands for.
    public enum Kind: Sendable, Hashable {
        /// A URI: `$mid` 1.
        case uri
        /// A regular expression: `$mid` 2.
        case regExp
        /// A date: `$mid` 17.
        case date
        /// Something VS Code's proxies leave as it is; the number is the `$mid`.
        case other(Int)
    }

    /// Returns what a value stands for.
    ///
    /// - Parameter value: Any value.
    /// - Returns: The kind of marker, whether or not its other members make sense; nil for everything but an object whose
    ///   `$mid` is an integer. The string `"1"` marks nothing.
    public static func kind(of value: IPCValue) -> Kind? {
        let number: Int64? =
            switch value[key] {
            case .int(let int)?: Int64(int)
            case .number(let double)?: Int64(exactNumber: double)
            default: nil
            }
        switch number {
        case uri?: return .uri
        case regExp?: return .regExp
        case date?: return .date
        case let number?: return .other(Int(number))
        case nil: return nil
        }
    }

    static let key: IPCString = "$mid"
    static let uri: Int64 = 1
    static let regExp: Int64 = 2
    static let date: Int64 = 17
}
