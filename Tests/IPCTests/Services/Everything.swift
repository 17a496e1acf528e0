// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC
import Synchronization

/// A service that keeps values in memory.
final class Everything: EverythingService {
    let owner: String
    let changes = EventEmitter<String>()
    let clearances = EventEmitter<Void>()
    let numbers = EventEmitter<Int>()
    let places = EventEmitter<Place>()
    private let values = Mutex<[String: IPCValue]>([:])

    init(owner: String = "") {
        self.owner = owner
    }

    func get(_ key: String) async throws -> String? {
        key == "owner" ? owner : values.withLock { $0[key]?.string }
    }

    func set(_ key: String, to value: IPCValue) async throws {
        values.withLock { $0[key] = value }
        changes.fire(key)
    }

    func count() async throws -> Int {
        values.withLock { $0.count }
    }

    func find(in place: Place, for names: [String], _ reversed: Bool?) async throws -> [Place] {
        let found = names.map { Place(path: "\(place.path)/\($0)", line: place.line) }
        return reversed == true ? found.reversed() : found
    }

    func clear() async throws {
        values.withLock { $0 = [:] }
        clearances.fire()
    }

    func describe(key: String, value: Double?) async throws -> String {
        "\(key) is \(value.map { "\($0)" } ?? "nothing")"
    }

    func `repeat`(times count: Int) async throws -> [Int] {
        guard count >= 0 else { throw RemoteError(name: "RangeError", message: "not so few") }
        return Array(0..<count)
    }

    func item(_ index: Int) async throws -> String { "number \(index)" }
    func item(_ name: String) async throws -> String { "named \(name)" }

    var onDidChange: Event<String> { changes.event }
    var onDidClear: Event<Void> { clearances.event }
    var onStream: AsyncStream<Int> { AsyncStream(numbers.event) }
    var onThrowingStream: AsyncThrowingStream<Int, any Error> { AsyncThrowingStream(numbers.event) }
    var onSequence: any AsyncSequence<Place, any Error> & Sendable { places.event }
    var onInfallible: any Sendable & AsyncSequence<Int, Never> { AsyncStream(numbers.event) }
    var renames: Event<String> { changes.event.map { "renamed \($0)" } }

    func onDynamicChange(_ key: String) -> Event<Int> {
        numbers.event.map { [length = key.count] in $0 * length }
    }

    func onDynamicTick(every interval: Int) -> AsyncStream<Void> {
        AsyncStream { continuation in
            for _ in 0..<interval { continuation.yield() }
            continuation.finish()
        }
    }
}
