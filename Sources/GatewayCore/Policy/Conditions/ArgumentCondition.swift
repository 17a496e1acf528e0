// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

/// What must hold of one part of an argument.
public struct ArgumentCondition: Sendable, Hashable {
    /// Where the part is.
    var path: ArgumentPath
    /// What must hold: all of it.
    var tests: [ArgumentTest]

    func judge(_ argument: Span<UInt8>, _ reader: inout ArgumentReader) -> Judgement {
        let part = reader.part(at: path, of: argument)
        var result = Judgement.holds
        for test in tests { result = result.and(test.judge(part)) }
        return result
    }
}
