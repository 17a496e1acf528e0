// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import IPCProtocol

/// How values are printed.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON in many lines, for reading.")
    var pretty = false

    @Flag(help: "Print texts without quotes, and buffers as their bytes.")
    var raw = false

    mutating func validate() throws {
        guard !pretty || !raw else { throw ValidationError("Give either --pretty or --raw.") }
    }

    /// Prints a value on standard output.
    func print(_ value: IPCValue) throws {
        switch value {
        case .string(let text) where raw: try Console.write(text.repairedUTF8 + [UInt8(ascii: "\n")])
        case .buffer(let bytes) where raw, .vsBuffer(let bytes) where raw: try Console.write(bytes)
        default: try Console.write(line: pretty ? ValueText.pretty(value) : ValueText.line(value))
        }
    }
}
