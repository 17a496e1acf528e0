// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Which places below one place in an argument are not to be seen.
///
/// To JavaScript the member "0" and the element 0 are the same, so they are here.
struct AuditRedaction {
    /// What stands for a value that is not to be seen, as JSON.
    static let replacement = "\"…\""

    /// What is left of each path that has led here.
    private var rests: [ArraySlice<ArgumentPath.Step>]

    /// At the argument itself.
    init(_ paths: [ArgumentPath]) {
        rests = paths.map { $0.steps[...] }
    }

    private init(rests: [ArraySlice<ArgumentPath.Step>]) {
        self.rests = rests
    }

    /// Whether this very place is not to be seen.
    var coversAll: Bool { rests.contains { $0.isEmpty } }

    /// The same below an element.
    func element(_ index: Int) -> AuditRedaction {
        step { $0 == .element(index) || $0 == .member(IPCString(String(index))) }
    }

    /// The same below a member.
    func member(_ name: IPCString) -> AuditRedaction {
        step { step in
            switch step {
            case .member(let other): other == name
            case .element(let index): IPCString(String(index)) == name
            }
        }
    }

    private func step(_ isTaken: (ArgumentPath.Step) -> Bool) -> AuditRedaction {
        if rests.isEmpty { return self }
        return AuditRedaction(rests: rests.filter { $0.first.map(isTaken) ?? false }.map { $0.dropFirst() })
    }
}
