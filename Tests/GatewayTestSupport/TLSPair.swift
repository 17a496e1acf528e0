// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

public import TLSEngine

/// Two TLS sessions joined in memory: what one writes the other reads, in chunks of any size.
///
/// Not `Sendable`: everything happens on the caller's thread, when `pump` is called.
public final class TLSPair {
    /// One end, with everything that has happened to it.
    public final class End {
        /// The session under test.
        public let session: TLSSession
        /// Its ciphertext on the way out.
        public let output = TLSOutput()
        /// Plaintext it has received.
        public var inbox: [UInt8] = []
        /// It has received close_notify.
        public private(set) var isClosed = false
        /// What it threw, if anything.
        public private(set) var error: TLSError?
        /// All ciphertext it has sent.
        public private(set) var sent: [UInt8] = []

        private var plaintext = [UInt8](repeating: 0, count: 20_000)

        init(_ context: TLSContext, serverName: String?, resuming resumed: TLSResumptionState? = nil) throws {
            self.session = try TLSSession(
                context: context,
                output: self.output,
                serverName: serverName,
                resuming: resumed
            )
        }

        /// Takes what waits in the output.
        public func takeOutput() -> [UInt8] {
            let bytes = self.output.withUnsafeBytes { Array($0) }
            self.output.consume(bytes.count)
            self.sent += bytes
            return bytes
        }

        /// Gives ciphertext to the session and lets it get as far as it can.
        public func receive(_ ciphertext: ArraySlice<UInt8>) {
            ciphertext.withUnsafeBytes { bytes in
                self.session.withInput(bytes) { self.step() }
            }
        }

        /// Handshake, then reading, as far as the input allows. Errors end up in `error`.
        public func step() {
            guard self.error == nil else { return }
            do throws(TLSError) {
                guard try self.session.handshake() == .complete else { return }
                try self.readAll()
            } catch {
                self.error = error
            }
        }

        /// Encrypts into the output.
        public func write(_ bytes: [UInt8]) throws(TLSError) {
            let result = bytes.withUnsafeBytes { buffer in
                Result { () throws(TLSError) in try self.session.write(buffer) }
            }
            try result.get()
        }

        private func readAll() throws(TLSError) {
            while true {
                let result = self.plaintext.withUnsafeMutableBytes { buffer in
                    Result { () throws(TLSError) in try self.session.read(into: buffer) }
                }
                switch try result.get() {
                case .bytes(let count): self.inbox += self.plaintext[..<count]
                case .needsInput: return
                case .closed:
                    self.isClosed = true
                    return
                }
            }
        }
    }

    /// The end that began.
    public let client: End
    /// The end that answers.
    public let server: End

    /// Two ends that have not begun.
    ///
    /// - Parameters:
    ///   - serverName: Whom the client wants to reach.
    ///   - resumed: What the client begins with.
    public init(
        server: TLSContext,
        client: TLSContext,
        serverName: String = "localhost",
        resuming resumed: TLSResumptionState? = nil
    ) throws {
        self.server = try End(server, serverName: nil)
        self.client = try End(client, serverName: serverName, resuming: resumed)
    }

    /// Two ends from their configurations.
    public convenience init(
        server: TLSConfiguration,
        client: TLSConfiguration,
        serverName: String = "localhost"
    ) throws {
        try self.init(server: TLSContext(server), client: TLSContext(client), serverName: serverName)
    }

    /// Begins, and runs until neither end has anything more to say.
    ///
    /// - Returns: Both ends are complete and without error.
    @discardableResult
    public func handshake(chunkSize: Int = .max) -> Bool {
        self.client.step()
        self.pump(chunkSize: chunkSize)
        return [self.client, self.server].allSatisfy { $0.session.isHandshakeComplete && $0.error == nil }
    }

    /// Carries ciphertext in both directions until there is none.
    ///
    /// - Parameter chunkSize: How many bytes an end gets at once.
    public func pump(chunkSize: Int = .max) {
        while !self.client.output.isEmpty || !self.server.output.isEmpty {
            Self.carry(from: self.client, to: self.server, chunkSize: chunkSize)
            Self.carry(from: self.server, to: self.client, chunkSize: chunkSize)
        }
    }

    private static func carry(from sender: End, to receiver: End, chunkSize: Int) {
        var rest = sender.takeOutput()[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(chunkSize)
            rest = rest.dropFirst(chunk.count)
            receiver.receive(chunk)
        }
    }
}
