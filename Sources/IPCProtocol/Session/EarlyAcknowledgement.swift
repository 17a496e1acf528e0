// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// Acknowledges what has come before the peer's window is full, without waiting for the time to do so.
///
/// It counts by what was written, not by what was sent: an acknowledgement in a message that waits helps nobody.
struct EarlyAcknowledgement: Sendable {
    private let threshold: SessionWindow?
    private var written: UInt32 = 0
    private var bytes = 0

    init(settings: SessionSettings) {
        threshold = settings.acknowledgesEarlyAt
    }

    /// A message was accepted.
    ///
    /// - Returns: Whether an Ack frame is due.
    mutating func accepted(_ id: UInt32, byteCount: Int) -> Bool {
        guard let threshold else { return false }
        bytes += FrameHeader.byteCount + byteCount
        return Int(id - written) >= threshold.messages || bytes >= threshold.bytes
    }

    /// A frame was written.
    ///
    /// - Parameters:
    ///   - ack: What it acknowledges.
    ///   - lastID: The last message accepted.
    mutating func wrote(ack: UInt32, of lastID: UInt32) {
        written = max(written, ack)
        if ack == lastID {
            bytes = 0
        }
    }
}
