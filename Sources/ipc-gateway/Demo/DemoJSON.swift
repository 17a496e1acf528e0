// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import IPCSample

/// Values as a person writes and reads them.
enum DemoJSON {
    static func parse(_ text: String) throws -> IPCValue {
        let bytes = Array(text.utf8)
        do {
            return try JSONText.parse(bytes.span, in: 0..<bytes.count)
        } catch {
            throw SampleError("'\(text)' is not JSON (\(error)); a string needs quotes of its own: '\"text\"'")
        }
    }

    static func text(_ value: IPCValue) -> String {
        JSONText.write(value).map { String(decoding: $0, as: UTF8.self) } ?? "undefined"
    }
}
