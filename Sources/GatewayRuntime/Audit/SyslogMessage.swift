// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Messages to the system's log on the same machine, in the form that the C library's `syslog` gives them.
enum SyslogMessage {
    /// Security messages, not for everybody (LOG_AUTHPRIV), for information (LOG_INFO).
    private static let priority = 10 << 3 | 6

    /// Appends a message with a line in it, whose line feed is left out.
    static func append(_ line: [UInt8], to output: inout [UInt8]) {
        output += "<\(priority)>".utf8
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%b %e %H:%M:%S", &parts)
        output += text[..<count].map { UInt8(bitPattern: $0) }
        output += " ipc-gateway[\(getpid())]: ".utf8
        output += line.last == UInt8(ascii: "\n") ? line.dropLast() : line[...]
    }
}
