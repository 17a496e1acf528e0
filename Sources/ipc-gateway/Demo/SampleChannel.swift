// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCProtocol

/// The channel `sample` of the sample server.
struct SampleChannel: ServerChannel {
    func call(_ context: IPCValue, _ command: IPCString, _ argument: IPCValue) async throws -> IPCValue {
        switch command {
        case "echo":
            return argument
        case "add":
            return IPCValue((argument.array ?? []).compactMap(\.double).reduce(0, +))
        case "whoami":
            return context
        case "sleep":
            guard let milliseconds = argument.double, milliseconds >= 0, milliseconds <= 1e9 else {
                throw RemoteError.sample("sleep takes a number of milliseconds")
            }
            try await Task.sleep(for: .milliseconds(milliseconds))
            return .undefined
        default:
            throw RemoteError.sample("there is no sample.\(command)")
        }
    }

    func listen(_ context: IPCValue, _ event: IPCString, _ argument: IPCValue) throws -> Event<IPCValue> {
        guard event == "onTick" else { throw RemoteError.eventNotFound(event) }
        return Event(Ticks())
    }

    /// 1, 2, 3…, one every 100 ms.
    private struct Ticks: AsyncSequence, Sendable {
        struct AsyncIterator: AsyncIteratorProtocol {
            private var count = 0

            mutating func next() async throws -> IPCValue? {
                try await Task.sleep(for: .milliseconds(100))
                count += 1
                return IPCValue(count)
            }
        }

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator()
        }
    }
}
