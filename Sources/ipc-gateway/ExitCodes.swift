// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// Exit codes: the smallest for how a call ended, the others as sysexits.h, timeout(1) and shells have them. Wrong usage
/// is 64, success 0. docs/command-line.md has the list for users.
extension ExitCode {
    /// The handler failed with an Error; for other commands, failure.
    static let handlerFailed = ExitCode(1)
    /// The handler failed with a value that is not an Error.
    static let handlerFailedWithValue = ExitCode(2)
    /// The server has no such channel.
    static let unknownChannel = ExitCode(3)
    /// An address cannot be listened on, or not be connected to: nobody is there, or somebody who refuses this client.
    static let unavailable = ExitCode(69)
    /// The connection ended too early, or an output cannot be written.
    static let inputOutput = ExitCode(74)
    /// The gateway had to cut calls or sessions short when it was stopped.
    static let cutShort = ExitCode(75)
    /// The gateway denies the call.
    static let denied = ExitCode(77)
    /// The configuration, or a file it names, is wrong.
    static let configuration = ExitCode(78)
    /// Not in time, as timeout(1) has it.
    static let timedOut = ExitCode(124)
    /// Ended by ctrl-C or SIGTERM.
    static let interrupted = ExitCode(130)
}
