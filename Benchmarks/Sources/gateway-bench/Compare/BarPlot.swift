// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Horizontal bars with whiskers from quartile to quartile, as an SVG file.
struct BarPlot {
    struct Bar {
        var title: String
        var value: Spread
        /// Whether it is the gateway's.
        var isOwn: Bool
    }

    struct Panel {
        var title: String
        var unit: String
        var bars: [Bar]
    }

    let panels: [Panel]

    private static let width = 760.0
    private static let left = 230.0
    private static let barHeight = 18.0

    var svg: String {
        var body = ""
        var top = 10.0
        for panel in panels {
            body += text(10, top + 14, "\(panel.title) – \(panel.unit)", bold: true)
            top += 24
            let most = panel.bars.map { $0.value.percentile(0.75) }.max() ?? 1
            let scale = (Self.width - Self.left - 70) / max(most, .leastNonzeroMagnitude)
            for bar in panel.bars {
                body += draw(bar, top, scale)
                top += Self.barHeight
            }
            top += 16
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(Self.width))" height="\(Int(top))" \
            font-family="sans-serif" font-size="12">
            <rect width="100%" height="100%" fill="white"/>
            \(body)</svg>

            """
    }

    private func draw(_ bar: Bar, _ top: Double, _ scale: Double) -> String {
        let (low, middle, high) = (bar.value.percentile(0.25), bar.value.median, bar.value.percentile(0.75))
        let center = top + Self.barHeight / 2
        let rectangle = String(
            format: "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%@\"/>\n",
            Self.left,
            top + 2,
            max(middle * scale, 0),
            Self.barHeight - 4,
            bar.isOwn ? "#2b6cb0" : "#a0aec0"
        )
        let whisker = String(
            format: "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#1a202c\"/>\n",
            Self.left + low * scale,
            Self.left + high * scale,
            center,
            center
        )
        let value = String(format: middle < 10 ? "%.2f" : "%.1f", middle)
        return text(10, center + 4, bar.title) + rectangle + whisker
            + text(Self.left + max(high, middle) * scale + 6, center + 4, value)
    }

    private func text(_ x: Double, _ y: Double, _ text: String, bold: Bool = false) -> String {
        let escaped = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
        let weight = bold ? " font-weight=\"bold\"" : ""
        return String(format: "<text x=\"%.1f\" y=\"%.1f\"%@>%@</text>\n", x, y, weight, escaped)
    }
}
