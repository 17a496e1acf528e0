// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

// Just this import: generated code must not need another.
public import IPC

/// Something of many members to send.
public struct Place: Codable, Hashable, Sendable {
    /// Where it is.
    public var path: String
    /// Where in it.
    public var line: Int?
}

/// All that a service can have, as public as can be.
@IPCService
public protocol EverythingService: Sendable {
    typealias Key = String

    func get(_ key: Key) async throws -> String?
    func set(_ key: String, to value: IPCValue) async throws
    func count() async throws -> Int
    func find(in place: Place, `for`: [String], _: Bool?) async throws -> [Place]
    func clear() async throws
    func describe(
        key: String,  // A comment in the way.
        value: Double?
    ) async throws -> (String)
    func `repeat`(times count: Int) async throws(any Error) -> [Int]
    @IPCName("getItem") func item(_ index: Int) async throws -> String
    @IPCName("getNamedItem") func item(_ name: String) async throws -> String

    var onDidChange: Event<String> { get }
    var onDidClear: IPC.Event<Void> { get }
    var onStream: AsyncStream<Int> { get }
    var onThrowingStream: AsyncThrowingStream<Int, any Error> { get }
    var onSequence: any AsyncSequence<Place, any Error> & Sendable { get }
    var onInfallible: any Sendable & AsyncSequence<Int, Never> { get }
    @IPCName("onRenamed") var renames: Event<String> { get }
    func onDynamicChange(_ key: String) -> Event<Int>
    func onDynamicTick(every interval: Int) -> AsyncStream<Void>
}

/// Types that clash with the names in generated code.
struct Context: Codable, Hashable {
    var command: String
}

@IPCService
protocol ClashingService: Sendable {
    func call(_ context: Context, command: String, argument: Int) async throws -> Context
    func listen(parameters: [Int], event: Context?) async throws -> [Int]
    func onDynamicClash(_ argument: Context) -> Event<Context>
}

enum Namespace {
    @IPCService
    fileprivate protocol NestedService: Sendable {
        func ping() async throws -> Int
    }

    fileprivate struct Nested: NestedService {
        func ping() async throws -> Int { 1 }
    }

    static func ping() async throws -> Int {
        try await NestedServiceClient(Loopback(NestedServiceChannel(Nested()))).ping()
    }
}

@IPCService
package protocol EmptyService: Sendable {}

@IPCService
@available(*, noasync)
private protocol AnnotatedService: Sendable {
    func ping() async throws
}

@IPCService
@MainActor
protocol MainService: Sendable {
    func ping() async throws -> Int
}
