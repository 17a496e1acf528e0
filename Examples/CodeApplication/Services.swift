// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import IPC

/// What the main process does for its windows.
@IPCService
protocol FileService: Sendable {
    func list(_ folder: String) async throws -> [String]
    func open(_ file: String) async throws
    var onDidOpen: Event<String> { get }
}

/// What a window does for the main process.
@IPCService
protocol WindowService: Sendable {
    func show(_ message: String) async throws -> String
    var onDidFocus: Event<Int> { get }
}

/// A file system with two files in it.
final class Files: FileService {
    private let opened = EventEmitter<String>()

    var onDidOpen: Event<String> { opened.event }

    func list(_ folder: String) async throws -> [String] {
        guard folder == "/" else {
            throw RemoteError(name: "FileNotFound", message: IPCString("there is no \(folder)"))
        }
        return ["hello.txt", "readme.md"]
    }

    func open(_ file: String) async throws {
        opened.fire(file)
    }
}

/// A window.
final class Window: WindowService {
    private let number: Int
    private let focused = EventEmitter<Int>()

    init(number: Int) {
        self.number = number
    }

    var onDidFocus: Event<Int> { focused.event }

    func show(_ message: String) async throws -> String {
        focused.fire(number)
        return "window \(number) shows '\(message)'"
    }
}
