// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Node, and programs for it that stand in the folder `Node` beside the tests that use them.
public enum Node {
    /// Whether there is a Node. Where there is none, tests about it are reported as left out.
    public static let isHere = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .contains { access("\($0)/node", X_OK) == 0 }

    /// Whether tests about Node run in any case, and fail where there is none: in CI.
    public static let isRequired = ProcessInfo.processInfo.environment["CI"] != nil

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - script: Its file, in the folder `Node`.
    ///   - arguments: Its arguments.
    ///   - hasInput: Whether it is told something while it runs.
    ///   - file: Leave this out: the test that stands beside the folder.
    public static func run(
        _ script: String,
        _ arguments: [String],
        hasInput: Bool = false,
        file: String = #filePath
    ) throws -> ChildProcess {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().appendingPathComponent("Node")
        return try ChildProcess(["node", folder.appendingPathComponent(script).path] + arguments, hasInput: hasInput)
    }
}
