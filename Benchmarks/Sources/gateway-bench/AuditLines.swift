// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What became of the lines that an audit log should have.
struct AuditLines {
    var written = 0
    var dropped = 0

    private struct Line: Decodable {
        var type: String
        var count: Int?
    }

    mutating func add(_ file: Data) {
        for line in file.split(separator: UInt8(ascii: "\n")) {
            // Most are calls, by far, and parsing them all would take minutes.
            if line.prefix(20).elementsEqual(#"{"v":1,"type":"call","#.utf8.prefix(20)) {
                written += 1
            } else if let line = try? JSONDecoder().decode(Line.self, from: line), line.type == "dropped" {
                dropped += line.count ?? 0
            }
        }
    }
}
