// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What is fuzzed.
enum Target: String, CaseIterable {
    case frames
    case values
    case session
    case pair
    case control
    case configuration
    case patterns
    case arguments
    case audit
    case passing
    case proxy
    case relay
    case records

    /// Whether the function under test is to be spoiled, to see that the target notices.
    static let isSpoiled = ProcessInfo.processInfo.environment["FUZZ_DEFECT"] == "1"

    /// Tries one input; does not come back when a property does not hold.
    func run(_ input: [UInt8]) {
        switch self {
        case .frames: FrameTarget.run(input)
        case .values: ValueTarget.run(input)
        case .session: SessionTarget.run(input)
        case .pair: PairTarget.run(input)
        case .control: ControlTarget.run(input)
        case .configuration: ConfigurationTarget.run(input)
        case .patterns: PatternTarget.run(input)
        case .arguments: ArgumentTarget.run(input)
        case .audit: AuditTarget.run(input)
        case .passing: PassingTarget.run(input)
        case .proxy: ProxyTarget.run(input)
        case .relay: RelayTarget.run(input)
        case .records: RecordTarget.run(input)
        }
    }
}

/// Stops at a property that does not hold.
func require(_ holds: Bool, _ property: @autoclosure () -> String) {
    if !holds { fatalError("does not hold: \(property())") }
}
