// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Synchronization

/// Values by name, shared by all connections of a sample server.
final class SampleStorage: Sendable {
    private let values = Mutex<[IPCString: IPCValue]>([:])

    subscript(key: IPCString) -> IPCValue {
        get { values.withLock { $0[key] ?? .undefined } }
        set { values.withLock { $0[key] = newValue } }
    }

    func removeAll() {
        values.withLock { $0 = [:] }
    }
}
