// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import Foundation
import Synchronization

/// A process that a test has started, with everything it prints. Killed when the object is gone.
public final class ChildProcess: Sendable {
    private struct State {
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var openStreams = 2
        var status: Int32?
    }

    private final class Shared: Sendable {
        let state = Mutex(State())
    }

    /// The process.
    public let pid: pid_t
    /// The end of its input that is written to; -1 when it has none.
    private let input: Int32
    private let shared = Shared()

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - words: The program's path and its arguments.
    ///   - environment: Variables to add to those of the tests.
    ///   - descriptors: What it gets as its descriptors from 3 on.
    ///   - hasInput: Whether it is told something with ``write(_:)``; otherwise there is nothing to read for it. Its input
    ///     ends with the object.
    public init(
        _ words: [String],
        environment: [String: String] = [:],
        descriptors: [Int32] = [],
        hasInput: Bool = false
    ) throws {
        let output = try Self.makePipe()
        let errors = try Self.makePipe()
        let input = hasInput ? try Self.makeSocketPair() : (reading: -1, writing: -1)
        defer {
            close(output.writing)
            close(errors.writing)
            if hasInput { close(input.reading) }
        }
        do {
            let streams = (input: input.reading, output: output.writing, errors: errors.writing)
            self.pid = try Self.spawn(words, environment, streams, descriptors)
        } catch {
            close(output.reading)
            close(errors.reading)
            if hasInput { close(input.writing) }
            throw error
        }
        self.input = input.writing
        let (pid, shared) = (self.pid, self.shared)
        Self.read(output.reading, shared) { $0.output += $1 }
        Self.read(errors.reading, shared) { $0.errors += $1 }
        Thread.detachNewThread { Self.reap(pid, shared) }
    }

    deinit {
        self.signal(SIGKILL)
        if self.input >= 0 { close(self.input) }
    }

    // MARK: Starting

    /// Where the descriptors of these tests end.
    private static let descriptorBound = Int32(clamping: min(sysconf(Int32(_SC_OPEN_MAX)), 2_048))

    private static func makePipe() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw TestSupportError.system("pipe")
        }
        return (ends[0], ends[1])
    }

    /// Not a pipe: writing to one whose reader has died would end the tests by a signal.
    private static func makeSocketPair() throws -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
            throw TestSupportError.system("socketpair")
        }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ words: [String],
        _ environment: [String: String],
        _ streams: (input: Int32, output: Int32, errors: Int32),
        _ descriptors: [Int32]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if streams.input < 0 {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        } else {
            posix_spawn_file_actions_adddup2(&actions, streams.input, STDIN_FILENO)
        }
        posix_spawn_file_actions_adddup2(&actions, streams.output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, streams.errors, STDERR_FILENO)
        // Out of the way of those that they become.
        let copies = descriptors.map { fcntl($0, F_DUPFD_CLOEXEC, Self.descriptorBound / 2) }
        defer { for copy in copies { close(copy) } }
        var firstToClose = STDERR_FILENO + 1
        for copy in copies {
            posix_spawn_file_actions_adddup2(&actions, copy, firstToClose)
            firstToClose += 1
        }
        // Sockets of other tests must not live on in this process.
        for descriptor in firstToClose..<Self.descriptorBound {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        var settings: [UnsafeMutablePointer<CChar>?] = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer {
            for text in arguments + settings {
                free(text)
            }
        }
        var pid = pid_t()
        let code = posix_spawnp(&pid, words[0], &actions, &attributes, &arguments, &settings)
        guard code == 0 else {
            throw TestSupportError("cannot start \(words[0]): \(String(cString: strerror(code)))")
        }
        return pid
    }

    private static func read(
        _ descriptor: Int32,
        _ shared: Shared,
        _ append: @escaping @Sendable (inout State, ArraySlice<UInt8>) -> Void
    ) {
        Thread.detachNewThread {
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = Glibc.read(descriptor, &chunk, chunk.count)
                if count < 0, errno == EINTR {
                    continue
                }
                guard count > 0 else {
                    break
                }
                shared.state.withLock { append(&$0, chunk[..<count]) }
            }
            close(descriptor)
            shared.state.withLock { $0.openStreams -= 1 }
        }
    }

    /// Waits for the end without freeing the process' number, which `signal` may be about to use.
    private static func reap(_ pid: pid_t, _ shared: Shared) {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        shared.state.withLock { state in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            state.status = status & 0x7f == 0 ? status >> 8 & 0xff : -(status & 0x7f)
        }
    }

    // MARK: Watching

    /// What it has printed on standard output.
    public var output: String {
        String(decoding: self.shared.state.withLock { $0.output }, as: UTF8.self)
    }

    /// What it has printed on standard error.
    public var errors: String {
        String(decoding: self.errorBytes(from: 0), as: UTF8.self)
    }

    /// What it has printed on standard output after so many bytes.
    public func outputBytes(from offset: Int) -> [UInt8] {
        self.shared.state.withLock { Array($0.output[offset...]) }
    }

    func errorBytes(from offset: Int) -> [UInt8] {
        self.shared.state.withLock { Array($0.errors[offset...]) }
    }

    /// Its exit status, or the negative number of the signal that ended it; nil while it runs.
    public var status: Int32? {
        self.shared.state.withLock { $0.status }
    }

    /// Writes to its standard input, for which it must have been started with one. Waits for a process that does not read.
    ///
    /// - Throws: When it has ended.
    public func write(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(self.input, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw TestSupportError.system("process \(self.pid): write") }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a signal, unless the process has ended.
    public func signal(_ number: Int32) {
        self.shared.state.withLock { state in
            if state.status == nil {
                kill(self.pid, number)
            }
        }
    }

    /// Waits until it has ended and everything it printed has been read.
    ///
    /// - Returns: As ``status``.
    @discardableResult
    public func wait(within limit: Duration = .seconds(30)) throws -> Int32 {
        var status: Int32?
        try eventually("process \(self.pid) ends; it says: \(self.errors.suffix(2_000))", within: limit) {
            status = self.shared.state.withLock { $0.openStreams == 0 ? $0.status : nil }
            return status != nil
        }
        return status ?? -1
    }

    /// The same for tests that are `async`, whose threads others need.
    @discardableResult
    public func end(within limit: Duration = .seconds(30)) async throws -> Int32 {
        let deadline = ContinuousClock.now + limit * patience
        while ContinuousClock.now < deadline {
            let status = self.shared.state.withLock { $0.openStreams == 0 ? $0.status : nil }
            if let status { return status }
            try await ContinuousClock().sleep(for: .milliseconds(1))
        }
        throw TimedOut(description: "process \(self.pid) does not end; it says: \(self.errors.suffix(2_000))")
    }
}
