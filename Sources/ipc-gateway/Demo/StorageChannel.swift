// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol
internal import Synchronization

/// The channel `storage` of the sample server: values by name, the same for all clients.
final class StorageChannel: ServerChannel {
    private let values = Mutex<[IPCString: IPCValue]>([:])
    private let changes = EventEmitter<IPCValue>()

    func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        switch command {
        case "get":
            guard case .string(let key) = argument else { throw RemoteError.sample("get takes a key, a string") }
            return values.withLock { $0[key] ?? .undefined }
        case "set":
            guard let pair = argument.array, pair.count == 2, case .string(let key) = pair[0] else {
                throw RemoteError.sample("set takes [key, value]")
            }
            values.withLock { $0[key] = pair[1] }
            changes.fire(pair[0])
            return .undefined
        case "drop":
            values.withLock { $0 = [:] }
            return .undefined
        default:
            throw RemoteError.sample("there is no storage.\(command)")
        }
    }

    func listen(_ context: IPCValue, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        guard event == "onDidChange" else { throw RemoteError.eventNotFound(event) }
        return changes.event
    }
}
