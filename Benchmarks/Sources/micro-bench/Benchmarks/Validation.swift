// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// The strict walk of a call: its header is decoded, its argument only walked.
struct Validation: Benchmark {
    let name = "validation"
    let operation = "walk a call whose argument is a list of a text, a number and an object"
    private let message: [UInt8]
    private let limits = IPCLimits()

    init() {
        let object = IPCValue.object(["path": "/home/alice/notes.txt", "create": true, "mode": 420])
        let argument = IPCValue.array([.string("a text of some length"), 4_711, object])
        message = IPCMessage.call(id: 7, channel: "storage", command: "get", argument: argument)
    }

    func run(_ operations: Int) throws -> Int {
        var right = 0
        for _ in 0..<operations {
            let inspected = try InspectedMessage(message.span, limits: limits)
            if case .call(7, _, _) = inspected.kind { right += 1 }
        }
        return right
    }
}
