// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// This program again, as a server.
struct ServerProcess: ~Copyable {
    let path: String
    private let pid: pid_t

    init() throws {
        path = "/tmp/ipc-bench-\(getpid()).sock"
        let words = ["/proc/self/exe", "serve", path]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var pid = pid_t()
        guard posix_spawn(&pid, words[0], nil, nil, arguments, environ) == 0 else {
            throw BenchError(description: "cannot start the server")
        }
        self.pid = pid
        for _ in 0..<1000 where access(path, F_OK) != 0 { usleep(5_000) }
    }

    deinit {
        kill(pid, SIGTERM)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        unlink(path)
    }
}

struct BenchError: Error, CustomStringConvertible {
    var description: String
}
