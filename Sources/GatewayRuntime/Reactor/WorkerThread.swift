// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A thread of the operating system.
struct WorkerThread: Sendable {
    private final class Job {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let thread: pthread_t

    /// Starts a thread that runs `body`.
    init(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var thread = pthread_t()
        // Given to the thread, which takes the reference back.
        let job = Unmanaged.passRetained(Job(body))
        let code = pthread_create(&thread, nil, Self.runJob, job.toOpaque())
        guard code == 0 else {
            job.release()
            throw SystemError("pthread_create", code)
        }
        self.thread = thread
    }

    private static let runJob: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
    }

    /// Waits until the thread has ended. Call this or `detach`, once.
    func join() {
        pthread_join(thread, nil)
    }

    /// Lets the thread end by itself.
    func detach() {
        pthread_detach(thread)
    }
}

/// A thread that ends with the process, or by itself.
public enum DetachedThread {
    /// Starts it; where there is no thread to be had nothing happens.
    ///
    /// - Returns: Whether there was one.
    @discardableResult
    public static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard let thread = try? WorkerThread(body) else { return false }
        thread.detach()
        return true
    }
}
