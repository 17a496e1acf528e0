// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Glibc
internal import IPCSample

/// Runs a sample server beside the main thread.
enum SampleServerThread {
    /// Starts the thread; it ends with the server.
    static func start(_ server: SampleServer) throws {
        var thread = pthread_t()
        // Given to the thread, which takes the reference back.
        let reference = Unmanaged.passRetained(server)
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<SampleServer>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            },
            reference.toOpaque()
        )
        guard code == 0 else {
            reference.release()
            Console.complain("error: cannot start a thread: \(String(cString: strerror(code)))")
            throw ExitCode.failure
        }
        pthread_detach(thread)
    }
}
