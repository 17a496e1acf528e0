// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A directory of one test, removed with the object. Its path is short enough for Unix sockets.
public final class TemporaryDirectory: Sendable {
    /// The path.
    public let path: String

    /// Makes a new directory.
    public init() throws {
        var template = Array("/tmp/ipcg-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestSupportError.system("mkdtemp")
        }
        self.path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// The path of a file in the directory.
    public func file(_ name: String) -> String {
        "\(self.path)/\(name)"
    }

    /// Writes a file.
    ///
    /// - Returns: Its path.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self.file(name)))
        return self.file(name)
    }
}

/// Something that the tests need did not work.
public struct TestSupportError: Error, CustomStringConvertible {
    /// What happened.
    public var description: String

    /// Makes an error.
    public init(_ description: String) {
        self.description = description
    }

    static func system(_ what: String) -> TestSupportError {
        TestSupportError("\(what): \(String(cString: strerror(errno)))")
    }
}

/// Work on a thread of its own, for what would block the test.
public final class Background<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    /// Starts a thread that runs `body`.
    public init(_ body: @escaping @Sendable () throws -> Value) {
        Thread.detachNewThread {
            let result = Result { try body() }
            self.result.withLock { $0 = result }
        }
    }

    /// Whether the work is done.
    public var isDone: Bool {
        self.result.withLock { $0 != nil }
    }

    /// Waits for the work.
    ///
    /// - Throws: What the work threw, or `TimedOut`.
    public func value(within limit: Duration = .seconds(30)) throws -> Value {
        try eventually("the work in the background is done", within: limit) { self.isDone }
        guard let result = self.result.withLock({ $0 }) else {
            throw TestSupportError("no result")
        }
        return try result.get()
    }
}
