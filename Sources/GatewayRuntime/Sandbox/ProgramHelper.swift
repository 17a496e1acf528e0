// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc
internal import Synchronization

/// A process beside the gateway that looks which programs other processes run.
///
/// Landlock keeps a process from looking at those outside of its sandbox, so somebody outside has to. The helper has no
/// other descriptor than its socket, was there before anything secret was read, and can be told nothing but the number of
/// a process.
public final class ProgramHelper: Sendable {
    /// The one that is asked, as soon as the sandbox is in force.
    static let current = Mutex<ProgramHelper?>(nil)
    static var inForce: ProgramHelper? { current.withLock { $0 } }
    /// How long an answer may take, in milliseconds.
    private static let patience = 1000

    /// Its process.
    let process: Int32
    private let socket: Int32
    /// Whether an answer is still to come that nobody waits for any more.
    private let owesAnswer = Mutex(false)

    /// Starts it, where there may be a sandbox. Call this first, while the process has one thread and knows no secret.
    public static func start() -> ProgramHelper? {
        guard Landlock.available != nil else { return nil }
        var socket: Int32 = -1
        let process = clinux_start_program_helper(&socket)
        return process > 0 ? ProgramHelper(process, socket) : nil
    }

    private init(_ process: Int32, _ socket: Int32) {
        self.process = process
        self.socket = socket
        var time = timeval(tv_sec: Self.patience / 1000, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, size)
    }

    deinit {
        // It ends, and is not left as a zombie.
        close(socket)
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
    }

    /// The path of the program that a process runs, and whether it leads to the file that runs.
    func program(of process: Int32) throws(SystemError) -> (path: [CChar], isSame: Bool) {
        let answer = try ask(clinux_program_question(process: process, user: 0, group: 0))
        guard answer.error == 0 else { throw SystemError("readlink", answer.error) }
        let path = withUnsafeBytes(of: answer.path) { bytes in
            bytes.prefix(Int(answer.length)).map { CChar(bitPattern: $0) }
        }
        return (path, answer.is_same != 0)
    }

    /// Makes it the same user as the gateway becomes.
    func become(_ privileges: Privileges) throws(SystemError) {
        let question = clinux_program_question(process: 0, user: privileges.user, group: privileges.group)
        let answer = try ask(question)
        guard answer.error == 0 else { throw SystemError("setuid", answer.error) }
    }

    private func ask(_ question: clinux_program_question) throws(SystemError) -> clinux_program {
        let result: Result<clinux_program, SystemError> = owesAnswer.withLock { owesAnswer in
            var answer = clinux_program()
            let size = MemoryLayout.size(ofValue: answer)
            // A file server that does not answer holds up the helper, and the gateway for as long as its patience only.
            if owesAnswer, recv(socket, &answer, size, Int32(MSG_DONTWAIT)) < 0 {
                return .failure(SystemError("ask", ETIMEDOUT))
            }
            owesAnswer = false
            var question = question
            let sent = send(socket, &question, MemoryLayout.size(ofValue: question), Int32(MSG_NOSIGNAL))
            guard sent > 0 else { return .failure(SystemError("ask")) }
            let count = recv(socket, &answer, size, 0)
            owesAnswer = count < 0
            if count > 0 { return .success(answer) }
            return .failure(count == 0 ? SystemError("ask", EPIPE) : SystemError("ask", ETIMEDOUT))
        }
        return try result.get()
    }
}
