// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import NIOCore
internal import NIOPosix
internal import TLSEngine

extension ConnectionEnd {
    /// The end that an error of the transport makes.
    init(transport error: any Error) {
        switch error {
        case let end as ConnectionEnd:
            self = end
        case let error as TLSError where error.code == .peerAlert:
            self.init(.refused, error.message)
        case let error as TLSError:
            self.init(.lost, error.message)
        case let error as IOError:
            self.init(.lost, "the connection was lost: \(SystemCalls.text(of: error.errnoCode))")
        default:
            self.init(.lost, "the connection was lost: \(error)")
        }
    }

    /// The end that an error of dialling makes.
    init(dialling endpoint: ClientEndpoint, _ error: any Error) {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first {
                self.init(dialling: endpoint, first.error)
            } else {
                let cause = error.dnsAError ?? error.dnsAAAAError
                self.init(.lost, "\(endpoint): \(cause.map { "\($0)" } ?? "the name has no address")")
            }
        case let error as IOError:
            let hint = error.errnoCode == SystemCalls.connectionRefused ? " (nobody listens there)" : ""
            self.init(.lost, "\(endpoint): \(SystemCalls.text(of: error.errnoCode))\(hint)")
        case let end as ConnectionEnd:
            self.init(end.code, "\(endpoint): \(end.reason)")
        case let error as TLSError:
            self.init(ConnectionEnd(transport: error).code, "\(endpoint): \(error.message)")
        default:
            self.init(.lost, "\(endpoint): \(error)")
        }
    }

    /// A last word that is longer is not looked at.
    private static let controlFrameBytes = 4_096

    /// A gateway's last word, if a Control frame is that: `{"type":"error","code":…,"reason":…}`.
    init?(controlFrame body: [UInt8]) {
        guard body.count <= Self.controlFrameBytes,
            let message = try? JSONText.parse(body.span, in: 0..<body.count, maxDepth: 8),
            message["type"]?.string == "error"
        else { return nil }
        let code = message["code"]?.string ?? "error"
        let reason = message["reason"]?.string ?? "the peer refuses the connection"
        self.init(.refused, "\(reason) (\(code))")
    }

    /// The body of the Control frame that tells a peer why it is refused. A reason that is too long is cut.
    static func controlFrame(code: String, reason: String) -> [UInt8] {
        var length = controlFrameBytes
        var frame = makeControlFrame(code, reason)
        // How long it gets depends on what has to be escaped.
        while frame.count > controlFrameBytes, length > 0 {
            length /= 2
            frame = makeControlFrame(code, String(decoding: reason.utf8.prefix(length), as: UTF8.self))
        }
        return frame
    }

    private static func makeControlFrame(_ code: String, _ reason: String) -> [UInt8] {
        let members: IPCObject = [
            "type": "error", "code": .string(IPCString(code)), "reason": .string(IPCString(reason)),
        ]
        return JSONText.write(.object(members)) ?? []
    }
}
