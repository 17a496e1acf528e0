// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol
internal import Synchronization

/// Who wants which named messages: listeners, any number of them, and one handler for each name.
final class MessageTable<Sender: Sendable>: Sendable {
    typealias Listener = @Sendable (Sender, [IPCValue]) -> Void
    typealias Handler = @Sendable (Sender, [IPCValue]) async throws -> IPCValue

    private struct State {
        var nextNumber = 0
        var listeners: [IPCString: [(number: Int, listener: Listener)]] = [:]
        var handlers: [IPCString: Handler] = [:]
    }

    private let state = Mutex(State())

    func on(_ name: IPCString, _ listener: @escaping Listener) -> EventSubscription {
        let number = state.withLock { state in
            state.nextNumber += 1
            state.listeners[name, default: []].append((state.nextNumber, listener))
            return state.nextNumber
        }
        return EventSubscription { [weak self] in
            self?.state.withLock { state in
                state.listeners[name]?.removeAll { $0.number == number }
                if state.listeners[name]?.isEmpty == true { state.listeners[name] = nil }
            }
        }
    }

    func handle(_ name: IPCString, _ handler: @escaping Handler) {
        state.withLock { $0.handlers[name] = handler }
    }

    func removeHandler(_ name: IPCString) {
        state.withLock { _ = $0.handlers.removeValue(forKey: name) }
    }

    func deliver(_ name: IPCString, from sender: Sender, _ arguments: [IPCValue]) {
        for (_, listener) in state.withLock({ $0.listeners[name] ?? [] }) { listener(sender, arguments) }
    }

    func answer(_ name: IPCString, from sender: Sender, _ arguments: [IPCValue]) async throws -> IPCValue {
        guard let handler = state.withLock({ $0.handlers[name] }) else {
            throw RemoteError(name: "Error", message: IPCString("No handler registered for '\(name)'"))
        }
        return try await handler(sender, arguments)
    }
}

/// The channels that named messages travel on: the command is the name of the message, the argument the array of its
/// arguments. So a gateway can allow and deny them by name.
enum MessageChannel {
    /// Messages that want no answer.
    static let messages: IPCString = "ipc:messages"
    /// Messages that want one.
    static let handlers: IPCString = "ipc:handlers"
}

/// Serves both channels of one connection from a table.
struct MessageServer<Context: Sendable, Sender: Sendable>: ServerChannel {
    let table: MessageTable<Sender>
    let sender: Sender
    let isAnswered: Bool

    func call(_ context: Context, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        let arguments = argument.array ?? []
        if isAnswered { return try await table.answer(command, from: sender, arguments) }
        table.deliver(command, from: sender, arguments)
        return .undefined
    }
}
