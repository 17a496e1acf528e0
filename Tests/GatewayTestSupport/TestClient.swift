// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import IPCProtocol
public import TLSEngine

/// A client that sends and receives raw bytes over TLS, and notes how the connection ends.
///
/// Not for several threads.
public final class TestClient {
    /// How a connection ended.
    public enum Ending: Sendable, Equatable {
        /// TLS close_notify, or without TLS the end of file.
        case inOrder
        /// The end of file without close_notify.
        case withoutCloseNotify
        /// The gateway refused or broke TLS.
        case refused(TLSError)
        /// The connection was reset, or refused.
        case lost(String)

        /// The alert, or what else was wrong with TLS.
        public var refusal: String? {
            if case .refused(let error) = self { error.message } else { nil }
        }
    }

    private var stream: BlockingStream?
    private var decoder = FrameDecoder()
    private var decoded: [Frame] = []
    /// Every byte that came.
    public private(set) var received: [UInt8] = []
    /// How the connection ended; nil while it lives.
    public private(set) var ending: Ending?

    /// Connects; what goes wrong becomes the ending.
    public init(port: UInt16, tls: TLSConfiguration?) {
        do {
            let stream = try BlockingStream(host: "127.0.0.1", port: port)
            self.stream = stream
            if let tls {
                try stream.startTLS(try TLSContext(tls), serverName: "localhost")
            }
        } catch {
            self.ended(with: error)
            self.stream = nil
        }
    }

    /// Connects to a Unix socket, as the user that the tests run as; what goes wrong becomes the ending.
    public init(unix path: String) {
        do {
            self.stream = try BlockingStream(unix: path)
        } catch {
            self.ended(with: error)
        }
    }

    private func ended(with error: any Error) {
        if let error = error as? TLSError {
            self.ending = .refused(error)
        } else {
            self.ending = .lost("\(error)")
        }
    }

    /// What was negotiated.
    public var negotiated: NegotiatedTLS? { self.stream?.negotiated }

    // MARK: Sending

    /// Sends bytes; a connection that has ended takes nothing, and an error shows when receiving.
    public func send(_ bytes: [UInt8]) {
        try? self.stream?.send(bytes)
    }

    /// Sends bytes in pieces, each in a TLS record of its own.
    public func send(_ bytes: [UInt8], piece: Int) {
        for start in stride(from: 0, to: bytes.count, by: piece) {
            self.send(Array(bytes[start..<min(start + piece, bytes.count)]))
        }
    }

    /// Announces a context and says `[200]`, as VS Code does.
    public func open(context: IPCValue = "test") {
        self.send(Self.opening(context: context))
    }

    /// What a client sends first.
    public static func opening(context: IPCValue = "test") -> [UInt8] {
        Frame.regular(IPCMessage.context(context)).encoded() + RecordingUpstream.initialize
    }

    /// Says that nothing more will be sent.
    public func finishSending(closeNotify: Bool = true) {
        self.stream?.finishSending(closeNotify: closeNotify)
    }

    /// Closes without another word: with a reset, or with an end of file.
    public func disappear(reset: Bool) {
        if reset {
            self.stream?.resetOnClose()
        }
        self.stream = nil
    }

    // MARK: Receiving

    /// Waits for something to come.
    ///
    /// - Returns: Whether something came, the end of the connection included.
    @discardableResult
    public func receiveSome(milliseconds: Int32 = patient(10_000)) -> Bool {
        guard let stream, self.ending == nil else {
            return false
        }
        do {
            switch try stream.receive(milliseconds: milliseconds) {
            case .bytes(let bytes):
                self.received += bytes
                self.decoder.append(bytes.span)
                while let frame = try self.decoder.next() {
                    self.decoded.append(frame)
                }
            case .end(let inOrder):
                self.ending = inOrder ? .inOrder : .withoutCloseNotify
            case .nothing:
                return false
            }
        } catch {
            self.ended(with: error)
        }
        return true
    }

    /// Waits until at least `count` bytes have come in all.
    @discardableResult
    public func receive(count: Int) throws -> [UInt8] {
        while self.received.count < count {
            guard self.receiveSome() else {
                throw TimedOut(
                    description: "\(self.received.count) of \(count) bytes came, then \(self.endingText)"
                )
            }
        }
        return self.received
    }

    /// The complete frames that have come.
    public var frames: [Frame] { self.decoded }

    /// Waits for a frame, counted from 0.
    @discardableResult
    public func frame(_ index: Int) throws -> Frame {
        while self.decoded.count <= index {
            guard self.receiveSome() else {
                throw TimedOut(description: "frame \(index) did not come: \(self.endingText)")
            }
        }
        return self.decoded[index]
    }

    /// Receives until the connection ends.
    @discardableResult
    public func receiveToEnd() throws -> Ending {
        while true {
            if let ending {
                return ending
            }
            guard self.receiveSome() else {
                throw TimedOut(description: "the connection does not end")
            }
        }
    }

    private var endingText: String { self.ending.map { "\($0)" } ?? "nothing more" }

    /// The `code` of the Control frame that says why the gateway closes; nil when there was none.
    public var errorCode: String? { self.errorMember("code") }

    /// The `reason` of that frame.
    public var errorReason: String? { self.errorMember("reason") }

    private func errorMember(_ name: IPCString) -> String? {
        guard let body = self.decoded.last(where: { $0.type == .control })?.body,
            let value = try? JSONText.parse(body.span, in: 0..<body.count), value["type"] == "error"
        else {
            return nil
        }
        return value[name]?.string
    }
}
