// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import IPCProtocol

/// Asks local servers whether they are there, as a client would: by the protocol.
public enum UpstreamProbe {
    /// A server to ask.
    public struct Server: Sendable {
        /// Its name in the configuration.
        public var name: String
        /// The path of its socket, as the process must open it.
        public var path: String

        /// Describes a server.
        public init(name: String, path: String) {
            self.name = name
            self.path = path
        }
    }

    /// What one has answered.
    public struct Finding: Sendable {
        /// Its name.
        public var name: String
        /// What is wrong, a sentence; nil when it has said `Initialize`.
        public var problem: String?
        /// How long it took, in nanoseconds.
        public var duration: UInt64
    }

    /// Time between two tries where a server's queue of connections is full, in milliseconds.
    private static let retryInterval: Int32 = 20

    /// Connects to servers, all at once, says a context, and waits for `Initialize`. Blocks.
    ///
    /// - Parameters:
    ///   - servers: Whom to ask.
    ///   - context: The context that they are told.
    ///   - limit: How long they may take, in nanoseconds.
    /// - Returns: A finding for each, in their order.
    public static func ask(_ servers: [Server], context: String, within limit: UInt64) -> [Finding] {
        let begin = MonotonicClock.now()
        let greeting = Frame.regular(IPCMessage.context(IPCValue(context))).encoded() + GatewaySession.initialize
        let conversations = servers.map { Conversation($0, greeting) }
        while true {
            let now = MonotonicClock.now()
            for conversation in conversations where conversation.finding == nil {
                conversation.advance()
                if conversation.isOver { conversation.end(after: MonotonicClock.now() - begin) }
            }
            let waiting = conversations.filter { $0.finding == nil }
            if waiting.isEmpty { break }
            guard now < begin + limit else {
                for conversation in waiting { conversation.expire(after: now - begin, limit) }
                break
            }
            var polled = waiting.compactMap(\.polled)
            let left = Int32(clamping: (begin + limit - now + 999_999) / 1_000_000)
            let time = polled.count < waiting.count ? min(left, retryInterval) : left
            poll(&polled, nfds_t(polled.count), time)
        }
        return conversations.compactMap(\.finding)
    }

    private final class Conversation {
        /// More than a server says before `Initialize`.
        private static let mostBytes = 64 << 10

        let server: Server
        private let greeting: [UInt8]
        private var socket: Socket?
        private var isConnected = false
        private var received: [UInt8] = []
        private var problem: String?
        private(set) var isOver = false
        private(set) var finding: Finding?

        init(_ server: Server, _ greeting: [UInt8]) {
            self.server = server
            self.greeting = greeting
            do throws(SystemError) {
                socket = try Socket(family: AF_UNIX)
            } catch {
                socket = nil
                fail("it cannot be asked: \(error.reason)")
            }
        }

        var polled: pollfd? {
            guard isConnected, let number = socket?.number else { return nil }
            return pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        }

        private func fail(_ problem: String) {
            self.problem = problem
            isOver = true
        }

        func end(after duration: UInt64) {
            finding = Finding(name: server.name, problem: problem, duration: duration)
        }

        func expire(after duration: UInt64, _ limit: UInt64) {
            fail(
                (isConnected ? "it did not say Initialize within " : "its queue of connections was full for ")
                    + "\(limit / 1_000_000) ms"
            )
            end(after: duration)
        }

        func advance() {
            guard !isOver else { return }
            if !isConnected { connect() }
            if isConnected, !isOver { listen() }
        }

        private func connect() {
            guard let address = SocketAddress(unixPath: server.path) else {
                return fail("the path of its socket cannot be used: \(server.path)")
            }
            switch socket?.connect(to: address) {
            case nil, .queueFull, .inProgress:
                return
            case .failed(let error):
                let hint = error.code == ENOENT || error.code == ECONNREFUSED ? "; is it running?" : ""
                return fail("\(server.path) cannot be connected to: \(error.reason)\(hint)")
            case .connected:
                isConnected = true
            }
            let outcome = greeting.withUnsafeBytes { socket?.write($0) }
            guard case .bytes(let count)? = outcome, count == greeting.count else {
                return fail("it does not take what is sent to it")
            }
        }

        private func listen() {
            var chunk = [UInt8](repeating: 0, count: 4096)
            while true {
                switch chunk.withUnsafeMutableBytes({ socket?.read(into: $0) }) {
                case nil, .wouldBlock: return
                case .end: return fail("it closed the connection before it said Initialize")
                case .failed(let error): return fail("the connection to it was lost: \(error.reason)")
                case .bytes(let count):
                    received += chunk[..<count]
                    judge()
                    if isOver { return }
                }
            }
        }

        private func judge() {
            var rest = received
            do throws(WireError) {
                while let header = FrameHeader(rest.span) {
                    try header.validatePlain(limits: IPCLimits())
                    let byteCount = FrameHeader.byteCount + header.bodyLength
                    guard rest.count >= byteCount else { break }
                    let message = Array(rest[FrameHeader.byteCount..<byteCount])
                    if try InspectedMessage(message.span).kind == .initialize {
                        isOver = true
                        return
                    }
                    rest.removeFirst(byteCount)
                }
            } catch {
                return fail("it does not speak the protocol: \(error)")
            }
            if received.count > Self.mostBytes { fail("it says much, but not Initialize") }
        }
    }
}
