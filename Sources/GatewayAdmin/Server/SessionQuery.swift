// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayRuntime
internal import Hummingbird
internal import HummingbirdCore

/// Which sessions a request is about.
struct SessionQuery: Sendable {
    var filter = SessionFilter()
    /// The lowest number.
    var first = 0
    var count = SessionsPage.usual

    /// What a request may say.
    enum Parameters {
        /// Whose sessions, and which part of the list.
        static let list = ["identity", "context", "limit", "after"]
        /// Whose sessions: all of them are closed.
        static let closing = ["identity", "context"]
        /// Nothing: it names one session.
        static let none: [String] = []
    }

    /// Reads the query.
    ///
    /// - Parameter known: What it may say.
    /// - Returns: What is wrong with it; nil when nothing is.
    mutating func read(_ request: Request, _ known: [String]) -> String? {
        for (key, value) in request.uri.queryParameters {
            // A mistake must not become 'all of them'.
            guard known.contains(String(key)) else {
                return "unknown parameter here; known are: \(known.isEmpty ? "none" : known.joined(separator: ", "))"
            }
            switch key {
            case "identity": filter.identity = String(value)
            case "context": filter.context = String(value)
            case "limit":
                guard let number = Int(value), (1...SessionsPage.most).contains(number) else {
                    return "limit is a number from 1 to \(SessionsPage.most)"
                }
                count = number
            default:
                guard let number = Int(value), number >= 0, number < .max else { return "after is the id of a session" }
                first = number + 1
            }
        }
        return filter.identity?.isEmpty == true ? "the identity is empty" : nil
    }
}
