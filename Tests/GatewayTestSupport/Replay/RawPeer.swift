// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPC
import Synchronization

/// The other side of what is tested: it sends bytes and looks at bytes.
public final class RawPeer: Sendable {
    private final class Receiver: MessageReceiver {
        let received = Mutex<[[UInt8]]>([])
        let end = Mutex<ConnectionEnd?>(nil)

        func receive(_ message: [UInt8]) {
            received.withLock { $0.append(message) }
        }

        func connectionEnded(_ end: ConnectionEnd) {
            self.end.withLock { $0 = end }
        }
    }

    /// A message that is not the one that was expected.
    public struct Mismatch: Error, CustomStringConvertible {
        /// What came instead of what.
        public var description: String
    }

    private let transport: any MessagePassingProtocol
    private let receiver = Receiver()
    private let takenCount = Mutex(0)

    /// Creates a peer at an end that nobody has started.
    public init(over transport: any MessagePassingProtocol) {
        self.transport = transport
        transport.start(delivering: receiver)
    }

    /// Everything that has come.
    public var received: [[UInt8]] { receiver.received.withLock { $0 } }

    /// Why the connection has ended; nil while it is open.
    public var end: ConnectionEnd? { receiver.end.withLock { $0 } }

    /// Sends a message.
    public func send(_ message: [UInt8]) {
        transport.send(message)
    }

    /// Closes the connection.
    public func close() {
        transport.close(.disposed)
    }

    /// Waits for the next message and compares it.
    ///
    /// - Parameters:
    ///   - expected: The bytes that it has to be.
    ///   - what: What is done here, for the error.
    public func expect(_ expected: [UInt8], _ what: String) async throws {
        let number = takenCount.withLock { count in
            defer { count += 1 }
            return count
        }
        do {
            try await eventually("\(what): message \(number) comes") {
                receiver.received.withLock { $0.count > number } || end != nil
            }
        } catch {
            throw Mismatch(description: "\(error), expected \(Self.text(expected))")
        }
        let messages = received
        guard messages.count > number else {
            throw Mismatch(description: "\(what): ended instead of message \(number), \(Self.text(expected))")
        }
        if messages[number] != expected {
            throw Mismatch(
                description: "\(what): message \(number) is \(Self.text(messages[number])), not \(Self.text(expected))"
            )
        }
    }

    private static func text(_ message: [UInt8]) -> String {
        message.count > 200 ? "\(Array(message.prefix(100)).hex)… (\(message.count) bytes)" : message.hex
    }
}
