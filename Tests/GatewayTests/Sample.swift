// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPCProtocol

/// Frames that tests send without caring much what they say.
enum Sample {
    static func call(_ id: UInt64, _ argument: IPCValue = .undefined) -> [UInt8] {
        Frame.regular(IPCMessage.call(id: id, channel: "sample", command: "echo", argument: argument)).encoded()
    }

    static func listen(_ id: UInt64) -> [UInt8] {
        Frame.regular(IPCMessage.listen(id: id, channel: "sample", event: "onPing", argument: .undefined)).encoded()
    }

    /// The client subscribes, and the server has got that.
    static func subscribe(
        _ client: TestClient,
        _ server: UpstreamConnection,
        ids: Range<UInt64> = 0..<1
    ) throws -> [UInt8] {
        let frames = ids.flatMap { listen($0) }
        let count = server.receivedCount
        client.send(frames)
        try server.receive(count: count + frames.count)
        return frames
    }

    static func answer(_ id: UInt64, _ result: IPCValue = .undefined) -> [UInt8] {
        Frame.regular(IPCMessage.success(id: id, result: result)).encoded()
    }

    static func event(_ id: UInt64, _ payload: IPCValue = .undefined) -> [UInt8] {
        Frame.regular(IPCMessage.event(id: id, payload: payload)).encoded()
    }
}
