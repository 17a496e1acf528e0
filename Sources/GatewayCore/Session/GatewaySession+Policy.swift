// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

extension GatewaySession {
    /// The authenticated context for logs: a string as it is, an object as JSON; empty until it has been accepted.
    public var contextText: String {
        switch context {
        case nil: ""
        case .string(let text)?: text.description
        case let value?: String(decoding: JSONText.write(value) ?? [], as: UTF8.self)
        }
    }

    /// Judges a request of either side by the rules of the client's entry.
    ///
    /// - Parameters:
    ///   - request: What it wants.
    ///   - direction: Who asks.
    ///   - message: The message, which ``InspectedMessage`` has accepted.
    ///   - channel: Where in it the channel's name is.
    ///   - name: Where in it the command's or event's name is.
    ///   - bodyOffset: Where in it the argument starts.
    func judge(
        _ request: AccessPolicy.Request,
        _ direction: AccessPolicy.Direction,
        _ message: Span<UInt8>,
        _ channel: Range<Int>,
        _ name: Range<Int>,
        bodyOffset: Int
    ) -> AccessPolicy.Decision {
        policy.judge(
            request,
            direction,
            channel: message.extracting(channel),
            name: message.extracting(name),
            argument: message.extracting(bodyOffset..<message.count),
            limits: limits.wire
        )
    }
}
