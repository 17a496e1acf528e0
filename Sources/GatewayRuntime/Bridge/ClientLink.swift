// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import TLSEngine

/// The client's side of a bridge: its socket, its TLS session if it has one, and what waits in either direction.
///
/// A local client's bytes go as they are; for it, ciphertext and plaintext are the same.
final class ClientLink {
    /// What one reading brought.
    enum Reception {
        /// Nothing to do yet.
        case nothing
        /// This many bytes of plaintext in `Scratch.plaintext`, perhaps none, and perhaps the end of the stream.
        case plaintext(Int)
        /// The connection cannot go on. An alert may have been queued.
        case failed(CloseReason)
    }

    /// Nil once it was let go.
    private var socket: Socket?
    var security: Security
    /// Plaintext that has not been judged: an incomplete frame, or frames beyond one turn's share.
    var pending = ByteQueue()
    /// Whether the TLS handshake is over; there is none with a local client.
    private(set) var isEstablished: Bool
    /// Whether the client has finished sending, by close_notify or end of file.
    private(set) var hasEnded = false
    /// Whether our own end of file has been sent.
    private(set) var hasShutDown = false
    /// What was wrong with the client's TLS; everything before it has been given.
    private(set) var failure: CloseReason?
    /// Whether the socket has failed; nothing more comes or goes.
    private(set) var isLost = false
    /// Whether the client cannot be sent anything any more. What it sent before is still to be read.
    private(set) var isDeaf = false
    /// Ciphertext bytes received.
    private(set) var receivedByteCount = 0
    /// Ciphertext bytes sent.
    private(set) var sentByteCount = 0

    /// The proxy that the client comes through, if it does.
    var proxy: ProxyEnd?

    private var scratch: Scratch
    /// How many bytes the socket waits for before it is reported as readable.
    private var lowWater = 1
    /// What the latest reading brought, as it came.
    private var latestByteCount = 0
    private var backlog = ByteQueue()
    private var isFinishing = false

    /// Less than a record is read when it comes.
    private static let worthAwaiting = 16 << 10
    /// The sender goes on while this is read, so it is less than what a connection has room for.
    private static let highestLowWater = 128 << 10

    /// What stands between the socket and the frames.
    enum Security {
        case tls(TLSSession)
        /// What was there has been let go.
        case gone
        /// Nothing: the kernel keeps others out, and says who the client is.
        case local(LocalPeer)
        /// A session of another gateway's, which says whom it brings.
        case relayed(TLSSession, ClientProof)
    }

    /// A client that has to show a certificate.
    ///
    /// - Parameter proxy: The proxy that it comes through, which says first whose connection it is; nil for none.
    init(
        socket: consuming Socket,
        context: TLSContext,
        proxy: ProxyEnd? = nil,
        scratch: Scratch
    ) throws(TLSError) {
        self.proxy = proxy
        security = .tls(try TLSSession(context: context, output: scratch.output))
        isEstablished = false
        self.socket = consume socket
        self.scratch = scratch
    }

    /// Another gateway, called by this one.
    init(socket: consuming Socket, calling session: TLSSession, scratch: Scratch) {
        security = .tls(session)
        isEstablished = false
        self.socket = consume socket
        self.scratch = scratch
    }

    /// A client on this machine.
    init(socket: consuming Socket, peer: LocalPeer, scratch: Scratch) {
        security = .local(peer)
        isEstablished = true
        self.socket = consume socket
        self.scratch = scratch
    }

    /// No client: that of a session which waits for its own to come back.
    init(goneFrom scratch: Scratch) {
        security = .gone
        isEstablished = true
        isLost = true
        socket = nil
        self.scratch = scratch
    }

    /// Whether the client is a process of this machine, without TLS.
    var isLocal: Bool { if case .local = security { true } else { false } }

    /// Whether the client's side has ended, as far as can be told without reading.
    var isOver: Bool {
        hasEnded || isLost || failure != nil || (socket?.hasEndOfInput ?? true)
    }

    /// The number of its socket, to be watched; -1 when there is none.
    var socketNumber: Int32 { socket?.number ?? -1 }

    /// Goes on at another thread. What has to be sent must have left the buffer of the old one.
    func move(to scratch: Scratch) {
        tls?.move(to: scratch.output)
        self.scratch = scratch
    }

    var tls: TLSSession? {
        switch security {
        case .tls(let session), .relayed(let session, _): session
        case .gone, .local: nil
        }
    }

    /// Says the first word of a handshake, as who calls does.
    func beginHandshake() throws(TLSError) {
        _ = try tls?.handshake()
        flush()
    }

    private var canSend: Bool { !isLost && !isDeaf }

    /// Ciphertext that the socket has not taken yet.
    var backlogByteCount: Int { backlog.count }

    /// Whether nothing waits in either direction, and nothing has ended.
    var isAtRest: Bool {
        canSend && !hasEnded && failure == nil && backlog.isEmpty && pending.isEmpty && scratch.output.isEmpty
    }

    // MARK: Receiving

    /// Reads once and decrypts what came; the handshake goes on as far as it can.
    func receive() -> Reception {
        // What needs no decryption is read to where it would be decrypted to.
        let plaintext = UnsafeMutableRawBufferPointer(rebasing: scratch.plaintext[..<Scratch.readByteCount])
        switch socket?.read(into: isLocal ? plaintext : scratch.input) {
        case nil, .wouldBlock:
            return .nothing
        case .end:
            return receivedEnd()
        case .failed(let error):
            isLost = true
            // Some health checks end with a reset.
            if hasSentNothing { return receivedEnd() }
            return .failed(CloseReason(.connectionLost, "the connection to the client was lost: \(error.reason)"))
        case .bytes(let count):
            latestByteCount = count
            receivedByteCount += count
            scratch.receivedByteCount &+= count
            guard let tls else { return .plaintext(count) }
            var input = UnsafeRawBufferPointer(rebasing: scratch.input[..<count])
            do throws(ProxyHeaderRefusal) {
                // TLS never sees what the proxy says.
                if let taken = try proxy?.receive(input) { input = UnsafeRawBufferPointer(rebasing: input[taken...]) }
            } catch {
                return .failed(CloseReason(error))
            }
            guard !input.isEmpty else { return .plaintext(0) }
            let decrypted = tls.withInput(input) { decrypt(tls) }
            if let failure, decrypted == 0 { return .failed(failure) }
            return .plaintext(decrypted)
        }
    }

    /// Whether nothing has come of the client itself; what a proxy says of it does not count.
    var hasSentNothing: Bool { receivedByteCount == (proxy?.headerByteCount ?? 0) }

    private func receivedEnd() -> Reception {
        hasEnded = true
        if let proxy, proxy.isInsideHeader, receivedByteCount > 0 { return .failed(CloseReason(.cut)) }
        if let proxy, proxy.isHealthCheck, hasSentNothing {
            return .failed(CloseReason(.closedBeforeHandshake, "the proxy's health check"))
        }
        if hasSentNothing {
            return .failed(CloseReason(.closedBeforeHandshake, "the client closed before it sent anything"))
        }
        if !isEstablished {
            return .failed(CloseReason(.connectionLost, "the client closed during the TLS handshake"))
        }
        return .plaintext(0)
    }

    /// Decrypts what there is into `Scratch.plaintext`. What came before a failure is still given.
    private func decrypt(_ tls: TLSSession) -> Int {
        var filled = 0
        do throws(TLSError) {
            if !isEstablished {
                guard try tls.handshake() == .complete else { return 0 }
                isEstablished = true
            }
            while filled < scratch.plaintext.count {
                let room = UnsafeMutableRawBufferPointer(rebasing: scratch.plaintext[filled...])
                switch try tls.read(into: room) {
                case .bytes(let count):
                    filled += count
                case .closed:
                    hasEnded = true
                    return filled
                case .needsInput:
                    return filled
                }
            }
        } catch {
            failure = CloseReason(error)
        }
        return filled
    }

    /// Lets the socket wait for the rest of a large message, so that it is read, and copied, in few pieces.
    ///
    /// Only where it comes fast: who sends slowly is heard of with every byte.
    ///
    /// - Parameter missing: The plaintext that a frame lacks; 0 for none.
    /// - Returns: Whether it waits. Then look again soon, with `stopAwaitingRest`: it may be slow from now on.
    func awaitRest(_ missing: Int) -> Bool {
        var wanted = 1
        if missing >= Self.worthAwaiting, latestByteCount >= Self.worthAwaiting, let tls {
            wanted = min(tls.inputByteCount(forPlaintext: missing), Self.highestLowWater)
        }
        setLowWater(wanted)
        return lowWater > 1
    }

    /// Whatever has come is reported.
    func stopAwaitingRest() {
        setLowWater(1)
    }

    private func setLowWater(_ byteCount: Int) {
        guard byteCount != lowWater, socket?.setLowWater(byteCount) == true else { return }
        lowWater = byteCount
    }

    // MARK: Sending

    /// The system reports that the connection is gone.
    func fail() {
        isLost = true
        backlog = ByteQueue()
    }

    /// Nothing more comes after a loss, and what is incomplete stays so.
    func endLost() {
        hasEnded = true
        pending = ByteQueue()
    }

    /// Encrypts bytes if need be and queues them; `flush` sends.
    func send(_ bytes: UnsafeRawBufferPointer) throws(TLSError) {
        guard canSend, !isFinishing, !bytes.isEmpty else { return }
        switch security {
        case .tls(let session), .relayed(let session, _): try session.write(bytes)
        case .local: scratch.output.append(bytes)
        case .gone: break
        }
    }

    /// Sends, or queues, what is in the buffer that all clients of the thread share.
    func flushOutput() {
        if !scratch.output.isEmpty { flush() }
    }

    /// Sends what is queued, as far as the socket takes it. Call it after everything that may have produced output.
    func flush() {
        if backlog.isEmpty {
            while !scratch.output.isEmpty, canSend {
                guard let count = scratch.output.withUnsafeBytes(write) else { break }
                scratch.output.consume(count)
            }
        }
        if !scratch.output.isEmpty {
            if canSend { scratch.output.withUnsafeBytes { backlog.append($0) } }
            scratch.output.consume(scratch.output.count)
        }
        while !backlog.isEmpty, canSend {
            guard let count = backlog.withUnsafeBytes(write) else { break }
            backlog.consume(count)
        }
        if !canSend { backlog = ByteQueue() }
        if isFinishing, backlog.isEmpty, !hasShutDown {
            socket?.shutdownWriting()
            hasShutDown = true
        }
    }

    /// Writes once; nil when the socket takes nothing.
    private func write(_ bytes: UnsafeRawBufferPointer) -> Int? {
        switch socket?.write(bytes) {
        case .bytes(let count):
            sentByteCount += count
            scratch.sentByteCount &+= count
            return count
        case nil, .wouldBlock:
            return nil
        case .failed:
            isDeaf = true
            return nil
        }
    }

    /// Sends close_notify, where there is TLS, behind everything that is queued, then the end of file.
    func finishSending() {
        // What is not read when the socket closes becomes a reset, which may take away what was sent last.
        setLowWater(1)
        guard !isFinishing else { return }
        isFinishing = true
        tls?.sendCloseNotify()
        flush()
    }

    /// Sends what is queued, an alert perhaps, and then the end of file, without a word of TLS.
    func abandonSending() {
        isFinishing = true
        setLowWater(1)
        flush()
    }

    /// Reads and throws away, so that what was sent to the client last is not lost to a reset.
    ///
    /// - Returns: Whether the client may still be there.
    func discardInput() -> Bool {
        switch socket?.read(into: scratch.input) {
        case .bytes(let count):
            receivedByteCount += count
            scratch.receivedByteCount &+= count
            return true
        case .wouldBlock:
            return true
        case .end:
            hasEnded = true
            return !hasShutDown
        case nil, .failed:
            isLost = true
            return false
        }
    }
}
