// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC

/// What the service can do. The macro makes `StorageServiceClient` and `StorageServiceChannel` of it.
@IPCService
protocol StorageService: Sendable {
    func get(_ key: String) async throws -> String?
    func set(_ key: String, to value: String) async throws
    var onDidChange: Event<String> { get }
}

/// The service itself: an actor like any other.
actor Storage: StorageService {
    private var values: [String: String] = [:]
    private nonisolated let changes = EventEmitter<String>()

    nonisolated var onDidChange: Event<String> { changes.event }

    func get(_ key: String) -> String? {
        values[key]
    }

    func set(_ key: String, to value: String) {
        values[key] = value
        changes.fire(key)
    }
}
