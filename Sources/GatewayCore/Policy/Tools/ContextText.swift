// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

/// Contexts for people.
public enum ContextText {
    /// A text as it is, an object as JSON; what does not print is escaped.
    public static func line(_ context: IPCValue) -> String {
        if case .string(let text) = context { return LogText.quoted(text.description) }
        return LogText.quoted(String(decoding: JSONText.write(context) ?? [], as: UTF8.self))
    }
}
