// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPCProtocol

/// Frames that tests send without caring much what they say.
enum Sample {
    static func call(_ id: UInt64, _ argument: IPCValue = .undefined) -> [UInt8] {
        Frame.regular(IPCMessage.call(id: id, channel: "sample", command: "echo", argument: argument)).encoded()
    }

    static func answer(_ id: UInt64, _ result: IPCValue = .undefined) -> [UInt8] {
        Frame.regular(IPCMessage.success(id: id, result: result)).encoded()
    }

    static func event(_ id: UInt64, _ payload: IPCValue = .undefined) -> [UInt8] {
        Frame.regular(IPCMessage.event(id: id, payload: payload)).encoded()
    }
}
