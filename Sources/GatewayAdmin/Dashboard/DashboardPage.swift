// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// The page at `/`: one file, compiled into the program, that runs no code and loads nothing but what it brings.
enum DashboardPage {
    static let contentType = "text/html; charset=utf-8"
    private static let placeholder = "{{nonce}}"

    /// The page, and the policy that a browser has to keep to with it. Both are different each time.
    static func render() -> (body: [UInt8], policy: String) {
        var generator = SystemRandomNumberGenerator()
        let nonce = (0..<2).map { _ in String(generator.next(), radix: 36) }.joined()
        let policy = """
            default-src 'none'; style-src 'nonce-\(nonce)'; script-src 'nonce-\(nonce)'; connect-src 'self'; \
            img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
        return (replacing(nonce), policy)
    }

    private static func replacing(_ nonce: String) -> [UInt8] {
        var body: [UInt8] = []
        var rest = PackageResources.Dashboard_html[...]
        while let place = rest.firstRange(of: Array(placeholder.utf8)) {
            body += rest[..<place.lowerBound]
            body += nonce.utf8
            rest = rest[place.upperBound...]
        }
        return body + rest
    }
}
