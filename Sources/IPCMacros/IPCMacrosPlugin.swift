// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import SwiftCompilerPlugin
internal import SwiftSyntaxMacros

/// What the compiler runs to expand the macros of module IPC.
@main
struct IPCMacrosPlugin: CompilerPlugin {
    let providingMacros: [any Macro.Type] = [IPCServiceMacro.self, IPCNameMacro.self]
}
