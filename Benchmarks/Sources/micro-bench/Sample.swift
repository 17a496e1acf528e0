// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Messages as clients and servers send them.
enum Sample {
    /// What a frame of the smallest calls has, header included.
    static let frameBytes = 60

    /// A call with a text, in a frame of ``frameBytes``.
    static let call: [UInt8] = {
        let frame = call(channel: "storage", command: "get", argument: .string("twenty-five bytes of text"))
        precondition(frame.count == frameBytes, "the call has \(frame.count) bytes")
        return frame
    }()

    /// A call in a frame.
    static func call(id: UInt64 = 7, channel: IPCString, command: IPCString, argument: IPCValue) -> [UInt8] {
        Frame.regular(IPCMessage.call(id: id, channel: channel, command: command, argument: argument)).encoded()
    }
}
