// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPC
internal import IPCTransport
internal import Synchronization

/// Prints and records what passes a tap, as it passes.
final class LiveTrace: Sendable {
    private struct State {
        var printer: TracePrinter
        var recording: RecordingFile?
        var hasEnded = false
    }

    private let start = ContinuousClock.now
    private let state: Mutex<State>
    private let ends: AsyncStream<any Error>
    private let ending: AsyncStream<any Error>.Continuation

    /// - Parameters:
    ///   - width: After how many characters a value is cut; 0 for never.
    ///   - path: The file to record to.
    init(width: Int, recordingTo path: String?) throws {
        let recording = try path.map { try RecordingFile($0) }
        state = Mutex(State(printer: TracePrinter(width: width, isTimed: true), recording: recording))
        (ends, ending) = AsyncStream.makeStream()
    }

    /// Something has happened on a connection.
    func observe(_ connection: Int, _ happening: UnixTap.Happening) {
        let elapsed = (ContinuousClock.now - start).components
        let milliseconds = Double(elapsed.seconds) * 1e3 + Double(elapsed.attoseconds / 1_000_000_000_000) / 1e3
        state.withLock { state in
            guard !state.hasEnded else { return }
            do {
                try Self.show(happening, of: connection, at: milliseconds, &state)
            } catch {
                state.hasEnded = true
                ending.yield(error)
            }
        }
    }

    private static func show(
        _ happening: UnixTap.Happening,
        of connection: Int,
        at milliseconds: Double,
        _ state: inout State
    ) throws {
        switch happening {
        case .opened:
            try state.printer.note("connected", of: connection, at: milliseconds)
        case .bytes(let bytes, let fromClient):
            let direction = fromClient ? TraceDirection.clientToServer : .serverToClient
            state.recording?.write(
                TraceRecord(at: milliseconds, connection: connection, direction: direction, bytes: bytes)
            )
            try state.printer.receive(bytes, direction, of: connection, at: milliseconds)
        case .ended(let fromClient):
            let direction = fromClient ? TraceDirection.clientToServer : .serverToClient
            state.recording?.write(
                TraceRecord(at: milliseconds, connection: connection, direction: direction, bytes: nil)
            )
            try state.printer.finish(direction, of: connection, at: milliseconds)
        case .failed(let reason):
            try state.printer.note(reason, of: connection, at: milliseconds)
        case .closed:
            try state.printer.note("closed", of: connection, at: milliseconds)
            state.printer.forget(connection)
        }
    }

    /// Waits until nothing can be printed any more, or the task is cancelled.
    ///
    /// - Returns: Why nothing can be printed; nil when the task is cancelled.
    func waitUntilEnd() async -> (any Error)? {
        for await error in ends { return error }
        return nil
    }
}
