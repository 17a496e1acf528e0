// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol

extension ServiceSupport {
    /// The parameters of a call as a service gets them.
    public struct Parameters: Sendable {
        private let command: IPCString
        private let values: [IPCValue]

        /// Takes the argument of a call.
        ///
        /// - Throws: ``RemoteError`` unless it is an array, or nothing at all: what JavaScript can apply to a function.
        public init(_ argument: IPCValue, of command: IPCString) throws {
            self.command = command
            switch argument {
            case .array(let elements): values = elements
            case .undefined, .null: values = []
            default: throw ServiceSupport.invalidArgument("\(command): expected an array of parameters")
            }
        }

        /// Reads a parameter. One that was not sent reads as `undefined`.
        ///
        /// - Parameters:
        ///   - index: Its place, from 0.
        ///   - name: What it is called in Swift.
        ///   - type: What to read.
        /// - Throws: ``RemoteError`` that names the parameter and says what is wrong with it.
        public func decode<Parameter: Decodable>(
            _ index: Int,
            _ name: String? = nil,
            as type: Parameter.Type = Parameter.self
        ) throws -> Parameter {
            try ServiceSupport.decode(
                type,
                from: index < values.count ? values[index] : .undefined,
                orRefuse: "\(command): parameter \(index + 1)\(name.map { " (\($0))" } ?? "")"
            )
        }
    }
}
