// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Figures for people, in Markdown, which can be read as it is, too.
struct Table {
    var title: String
    var header: [String]
    var rows: [[String]] = []
    var notes = ""

    var markdown: String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        func line(_ cells: [String]) -> String {
            let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return "| " + padded.joined(separator: " | ") + " |\n"
        }
        let rule = "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|\n"
        let text = "**\(title)**\n\n" + line(header) + rule + rows.map(line).joined()
        return notes.isEmpty ? text : text + "\n\(notes)\n"
    }
}
