// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A condition that did not come true in time.
public struct TimedOut: Error, CustomStringConvertible {
    /// What was waited for.
    public var description: String

    /// Says what was waited for.
    public init(description: String) {
        self.description = description
    }
}

/// How much longer than usual anything may take: sanitizers slow a program down tenfold, and so does a busy machine.
public let patience = getenv("TEST_PATIENCE").flatMap { Int(String(cString: $0)) } ?? 1

/// So many milliseconds, or more where everything is slow.
public func patient(_ milliseconds: Int32) -> Int32 {
    milliseconds * Int32(patience)
}

/// Waits until a condition is true.
///
/// - Parameters:
///   - what: What is waited for, for the error.
///   - limit: How long it may take, times what the environment variable `TEST_PATIENCE` says.
///   - condition: The condition; an error that it throws ends the waiting.
/// - Throws: `TimedOut` when it does not become true.
public func eventually(
    _ what: @autoclosure () -> String,
    within limit: Duration = .seconds(60),
    _ condition: () throws -> Bool
) throws {
    let limit = limit * patience
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while try !condition() {
        guard clock.now < deadline else {
            throw TimedOut(description: "not within \(limit): \(what())")
        }
        poll(nil, 0, 1)
    }
}

/// Lets time pass where that is what is tested: a pace, or a time in which something must not happen. Not for waiting
/// until something has happened, which is what `eventually` is for.
public func letTimePass(milliseconds: Int32) {
    poll(nil, 0, milliseconds)
}

/// The same for tests that are `async`: it leaves its thread to others, so that what it waits for can happen.
public func eventually(
    _ what: @autoclosure () -> String,
    within limit: Duration = .seconds(60),
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () throws -> Bool
) async throws {
    let limit = limit * patience
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while try !condition() {
        guard clock.now < deadline else {
            throw TimedOut(description: "not within \(limit): \(what())")
        }
        try await clock.sleep(for: .milliseconds(1))
    }
}
