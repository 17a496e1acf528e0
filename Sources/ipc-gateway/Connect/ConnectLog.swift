// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCTransport
internal import Logging
internal import TLSEngine

/// Logs what happens in a tunnel.
struct ConnectLog: Sendable {
    let logger: Logger

    /// Something has happened to a client.
    func client(_ number: Int, _ happening: TunnelHappening) {
        switch happening {
        case .accepted(let process):
            logger.debug("local client connected", metadata: ["client": "\(number)", "process": "\(process)"])
        case .refused(let reason):
            logger.warning("local client refused", metadata: ["reason": "\(reason)"])
        case .connected(let address):
            logger.info("session opened", metadata: ["client": "\(number)", "address": "\(address)"])
        case .changed(.reconnecting(let attempt, let delay, let reason)):
            let delay = TunnelStatus.milliseconds(delay)
            logger.notice(
                "connection lost, reconnecting",
                metadata: [
                    "client": "\(number)", "reason": "\(reason)", "attempt": "\(attempt)",
                    "delayMilliseconds": "\(delay)",
                ]
            )
        case .changed(.reconnected):
            logger.notice("reconnected", metadata: ["client": "\(number)"])
        case .changed(.goingAway(let reason)):
            logger.notice(
                "the gateway is going away; new local clients try the next address first",
                metadata: ["client": "\(number)", "reason": "\(reason)"]
            )
        case .failed(let reason):
            logger.error("no session", metadata: ["client": "\(number)", "reason": "\(reason)"])
        case .ended(let summary):
            logger.log(
                level: summary.isFailure ? .warning : .info,
                "local client closed",
                metadata: [
                    "client": "\(number)", "reason": "\(summary.reason)",
                    "messagesSent": "\(summary.sent.messages)", "bytesSent": "\(summary.sent.bytes)",
                    "messagesReceived": "\(summary.received.messages)", "bytesReceived": "\(summary.received.bytes)",
                ]
            )
        }
    }

    /// There is news of certificates and keys.
    func credentials(_ report: CredentialReloader.Report) {
        switch report {
        case .unusable(let error):
            logger.error(
                "the certificates cannot be used; those that were read before still are",
                metadata: ["reason": "\(error)"]
            )
        case .renewed(let certificate):
            logger.notice("certificates read anew", metadata: ["certificate": "\(certificate?.subject ?? "none")"])
        case .note(let note):
            logger.notice("\(note)")
        }
    }
}
