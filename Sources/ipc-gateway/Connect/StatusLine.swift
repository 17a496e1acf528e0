// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Synchronization

/// The last line of a terminal, which always shows how things are; log lines come above it. For standard error.
final class StatusLine: Sendable {
    private static let usualWidth = 80
    /// Back to the line's beginning, and clear it (ECMA-48: CR, EL).
    private static let clearing = "\r\u{1b}[K"

    private let shown = Mutex("")

    /// Shows a text in place of the one before.
    func show(_ text: String) {
        shown.withLock { shown in
            let cut = String(text.prefix(max(1, Self.width - 1)))
            guard cut != shown, Self.isOurs, Self.isWritable else { return }
            shown = cut
            Self.write(Self.clearing + cut)
        }
    }

    /// Writes something above the line.
    func interrupt(_ body: () -> Void) {
        shown.withLock { shown in
            guard !shown.isEmpty, Self.isOurs else { return body() }
            Self.write(Self.clearing)
            body()
            Self.write(shown)
        }
    }

    /// The line goes, and nothing is left of it.
    func remove() {
        shown.withLock { shown in
            if !shown.isEmpty, Self.isOurs { Self.write(Self.clearing) }
            shown = ""
        }
    }

    private static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return usualWidth }
        return Int(size.ws_col)
    }

    /// Whether the terminal's last line is this process's: in the background it is the shell's prompt.
    private static var isOurs: Bool {
        let group = tcgetpgrp(STDERR_FILENO)
        return group < 0 || group == getpgrp()
    }

    /// Whether the terminal takes anything: after ctrl-S it does not, and whoever writes waits.
    private static var isWritable: Bool {
        var poll = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0 && poll.revents & Int16(POLLOUT) != 0
    }

    private static func write(_ text: String) {
        Array(text.utf8).withUnsafeBytes { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
