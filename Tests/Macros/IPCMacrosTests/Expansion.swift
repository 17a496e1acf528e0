// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCMacros
import SwiftSyntaxMacroExpansion
import SwiftSyntaxMacrosGenericTestSupport
import Testing

/// Expands the macros in a source and compares.
///
/// - Parameters:
///   - source: The source.
///   - expanded: What the macros make of it.
///   - diagnostics: What they complain about.
///   - fixed: The source with the proposed repairs; nil where there are none.
func expectExpansion(
    of source: String,
    _ expanded: String,
    diagnostics: [DiagnosticSpec] = [],
    fixed: String? = nil,
    sourceLocation: Testing.SourceLocation = #_sourceLocation
) {
    assertMacroExpansion(
        source,
        expandedSource: expanded,
        diagnostics: diagnostics,
        macroSpecs: [
            "IPCService": MacroSpec(type: IPCServiceMacro.self),
            "IPCName": MacroSpec(type: IPCNameMacro.self),
        ],
        fixedSource: fixed,
        failureHandler: { Issue.record("\($0.message)", sourceLocation: sourceLocation) }
    )
}
