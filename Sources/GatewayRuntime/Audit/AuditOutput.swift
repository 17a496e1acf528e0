// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Where the audit log's bytes go. Writing to it does not wait, except for disks.
struct AuditOutput: ~Copyable {
    /// What is opened.
    enum Target: Sendable, CustomStringConvertible {
        /// A file, or a named pipe.
        case file(String)
        /// Standard output, which has this number.
        case standardOutput(Int32)
        /// The system's log, at its socket.
        case syslog(String)

        var description: String {
            switch self {
            case .file(let path): path
            case .standardOutput: "standard output"
            case .syslog(let path): "the system's log at \(path)"
            }
        }

        /// What to look for when it cannot be opened.
        var advice: String {
            switch self {
            case .file: "its folder must be there, and let the gateway's user write"
            case .standardOutput: "the gateway was started without one"
            case .syslog: "is there one on this machine?"
            }
        }
    }

    /// What writing gave.
    enum Outcome {
        case bytes(Int)
        case wouldBlock
        case failed(SystemError)
    }

    /// How writing is kept from waiting.
    private enum Way {
        /// The descriptor does not wait.
        case write
        /// Nor does a socket, when told so each time.
        case send
        /// Others may share the descriptor, so it is asked first whether a little fits.
        case ask
    }

    /// What a pipe takes whole when it takes anything (PIPE_BUF).
    private static let askedBytes = 4096
    private static let mode: mode_t = 0o640

    let target: Target
    private let descriptor: Descriptor
    private let way: Way
    private let kind: mode_t
    private let file: (device: dev_t, number: ino_t)

    init(_ target: Target) throws(SystemError) {
        let number =
            switch target {
            case .file(let path): Self.openFile(path)
            case .standardOutput(let shared): fcntl(shared, F_DUPFD_CLOEXEC, 3)
            case .syslog: socket(AF_UNIX, Self.datagrams, 0)
            }
        guard number >= 0 else { throw SystemError("open") }
        let opened = Descriptor(number)
        if case .syslog(let path) = target { try Self.connect(number, path) }
        var status = stat()
        guard fstat(number, &status) == 0 else { throw SystemError("fstat") }
        kind = status.st_mode & S_IFMT
        file = (status.st_dev, status.st_ino)
        self.target = target
        descriptor = opened
        way =
            switch (target, kind) {
            case (.syslog, _), (.standardOutput, S_IFSOCK): .send
            case (.file, _), (.standardOutput, S_IFREG): .write
            case (.standardOutput, _): .ask
            }
    }

    private static let datagrams =
        Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    private static func openFile(_ path: String) -> Int32 {
        let flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
        // For reading too: a named pipe can be opened before its reader comes, and survives a change of readers.
        let number = open(path, O_RDWR | flags, mode)
        guard number < 0, errno == EACCES || errno == EPERM else { return number }
        // Where the system lets this process append only.
        return open(path, O_WRONLY | flags, mode)
    }

    private static func connect(_ number: Int32, _ path: String) throws(SystemError) {
        guard let address = SocketAddress(unixPath: path) else { throw SystemError("connect", ENAMETOOLONG) }
        guard address.withPointer({ Glibc.connect(number, $0, $1) }) == 0 else { throw SystemError("connect") }
    }

    /// Ends what somebody who was killed, or had no room, has left of a line, so that it does not spoil the next one.
    func endTornLine() {
        guard kind == S_IFREG else { return }
        let size = lseek(number, 0, SEEK_END)
        var last: UInt8 = 0
        guard size > 0, pread(number, &last, 1, size - 1) == 1, last != UInt8(ascii: "\n") else { return }
        last = UInt8(ascii: "\n")
        _ = Glibc.write(number, &last, 1)
    }

    /// What to wait for before writing again.
    var number: Int32 { descriptor.number }

    /// Whether both are the same file, pipe or socket.
    func isSame(as other: borrowing AuditOutput) -> Bool {
        file == other.file
    }

    /// Whether each line is a message of its own.
    var takesMessages: Bool {
        if case .syslog = target { true } else { false }
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        while true {
            let count =
                switch way {
                case .write: Glibc.write(number, bytes.baseAddress, bytes.count)
                case .send: send(number, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
                case .ask where !isReady: -2
                case .ask: Glibc.write(number, bytes.baseAddress, min(bytes.count, Self.askedBytes))
                }
            if count >= 0 { return .bytes(count) }
            if count == -2 { return .wouldBlock }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(SystemError("write"))
            }
        }
    }

    private var isReady: Bool {
        var event = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        return poll(&event, 1, 0) > 0
    }
}
