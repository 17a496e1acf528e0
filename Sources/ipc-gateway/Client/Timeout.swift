// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// A time in seconds, such as `5` or `0.5`.
struct Timeout: ExpressibleByArgument, Sendable {
    private static let longest = 1e9

    /// The time.
    let seconds: Double

    init?(argument text: String) {
        guard let seconds = Double(text), seconds > 0, seconds <= Self.longest else { return nil }
        self.seconds = seconds
    }
}
