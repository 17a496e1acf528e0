// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// Exit codes, as sysexits.h names them.
extension ExitCode {
    /// An address cannot be listened on.
    static let unavailable = ExitCode(69)
    /// The configuration, or a file it names, is wrong.
    static let configuration = ExitCode(78)
}
