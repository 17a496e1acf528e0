// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What can be said of a condition. Rules that allow need `holds`; rules that deny apply unless it `fails`.
enum Judgement: Sendable, Hashable {
    /// It holds.
    case holds
    /// It does not hold.
    case fails
    /// Nothing certain can be said: the argument may be read in several ways, or is not of the kind that was expected.
    case undecided

    init(_ holds: Bool) {
        self = holds ? .holds : .fails
    }

    /// Whether both hold.
    func and(_ other: Judgement) -> Judgement {
        switch (self, other) {
        case (.fails, _), (_, .fails): .fails
        case (.holds, .holds): .holds
        default: .undecided
        }
    }
}
