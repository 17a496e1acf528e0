// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// Why a command has failed: a sentence for a person, a code for a script.
struct CommandFailure: Error, CustomStringConvertible {
    /// What happened and what to do, in one line or several.
    let description: String
    /// What the process ends with.
    let exitCode: ExitCode

    init(_ description: String, _ exitCode: ExitCode) {
        self.description = description
        self.exitCode = exitCode
    }

    /// Runs the body of a command; says what it throws, and ends the process with the code that belongs to it.
    static func report<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let failure as CommandFailure {
            Console.complain("error: \(failure)")
            throw failure.exitCode
        } catch is Interrupted {
            throw ExitCode.interrupted
        } catch is OutputClosed {
            throw ExitCode.success
        }
    }
}
