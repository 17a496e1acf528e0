// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import HTTPTypes
internal import Hummingbird
internal import IPCProtocol
internal import NIOCore

extension Response {
    /// What every answer has: nothing is kept, guessed, framed or read by other sites.
    private static func headers(_ contentType: String) -> HTTPFields {
        var headers: HTTPFields = [.contentType: contentType, .cacheControl: "no-store"]
        headers[.xContentTypeOptions] = "nosniff"
        headers[.contentSecurityPolicy] =
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        if let name = HTTPField.Name("Referrer-Policy") { headers[name] = "no-referrer" }
        if let name = HTTPField.Name("Cross-Origin-Resource-Policy") { headers[name] = "same-origin" }
        if let name = HTTPField.Name("X-Frame-Options") { headers[name] = "DENY" }
        return headers
    }

    /// Bytes.
    static func bytes(_ bytes: [UInt8], _ contentType: String, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: headers(contentType),
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    /// The dashboard.
    static func dashboard() -> Response {
        let page = DashboardPage.render()
        var response = bytes(page.body, DashboardPage.contentType)
        response.headers[.contentSecurityPolicy] = page.policy
        return response
    }

    /// JSON, with a line feed for terminals.
    static func json(_ status: HTTPResponse.Status, _ value: IPCValue) -> Response {
        var body: [UInt8] = []
        JSONText.append(value, to: &body)
        return bytes(body + [UInt8(ascii: "\n")], "application/json", status)
    }

    /// What is wrong with a request.
    static func problem(_ status: HTTPResponse.Status, _ reason: String) -> Response {
        json(status, .members([("error", IPCValue(reason))]))
    }

    /// The page is there, but not for this.
    static func wrongMethod(_ allowed: String) -> Response {
        var response = problem(.methodNotAllowed, "that cannot be done here; allowed: \(allowed)")
        response.headers[.allow] = allowed
        return response
    }
}
