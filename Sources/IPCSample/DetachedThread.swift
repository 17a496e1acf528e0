// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A thread that nobody waits for.
enum DetachedThread {
    private final class Job: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func start(_ body: @escaping @Sendable () -> Void) throws(SampleError) {
        var thread = pthread_t()
        // Given to the thread, which takes the reference back.
        let job = Unmanaged.passRetained(Job(body))
        let code = pthread_create(
            &thread,
            nil,
            { argument in
                if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            },
            job.toOpaque()
        )
        guard code == 0 else {
            job.release()
            throw SampleError.system("start a thread", code)
        }
        pthread_detach(thread)
    }
}
