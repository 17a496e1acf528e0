// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
public import TLSEngine

/// A connection that blocks its thread, over a Unix socket, TCP or TLS: what tests drive byte by byte.
///
/// Not for many connections, and not for several threads.
public final class BlockingStream {
    /// What came.
    public enum Received: Sendable, Equatable {
        /// Some bytes.
        case bytes([UInt8])
        /// The peer has finished sending. With TLS `inOrder` tells whether it said so with close_notify.
        case end(inOrder: Bool)
        /// Nothing in time.
        case nothing
    }

    let descriptor: Int32
    private(set) var tls: TLSSession?
    /// Ciphertext on its way out; without TLS only what ``queue(_:)`` was given.
    let output = TLSOutput()
    /// Whether ``queue(_:)`` was used: nothing waits for the peer to read then.
    var isQueueing = false
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)

    /// Takes over a connected socket.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Connects to a Unix socket.
    public convenience init(unix path: String) throws(TestSupportError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw TestSupportError("\(path): a socket's path has at most 107 bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        self.init(descriptor: try Self.makeSocket(AF_UNIX))
        try connect(address, "connect to \(path)")
    }

    /// Connects to an IPv4 address.
    public convenience init(host: String, port: UInt16) throws(TestSupportError) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        guard inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &address.sin_addr) == 1 else {
            throw TestSupportError("'\(host)' is not an IPv4 address")
        }
        self.init(descriptor: try Self.makeSocket(AF_INET))
        try connect(address, "connect to \(host):\(port)")
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Connects to an IPv4 address and negotiates TLS.
    ///
    /// - Throws: `TestSupportError`, or `TLSError` with what one side has against the other. With TLS 1.3 a server refuses a
    ///   certificate only after this has returned; the first `receive` throws then.
    public convenience init(
        host: String,
        port: UInt16,
        tls: TLSContext,
        serverName: String,
        resuming state: TLSResumptionState? = nil
    ) throws {
        try self.init(host: host, port: port)
        try startTLS(tls, serverName: serverName, resuming: state)
    }

    deinit {
        buffer.deallocate()
        Glibc.close(descriptor)
    }

    private static func makeSocket(_ family: Int32) throws(TestSupportError) -> Int32 {
        let descriptor = socket(family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw TestSupportError.system("socket") }
        return descriptor
    }

    private func connect<Address>(_ address: Address, _ what: String) throws(TestSupportError) {
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        guard result == 0 else { throw TestSupportError.system(what) }
    }

    /// Negotiates TLS over the connection, as the end that the context is for.
    ///
    /// - Parameters:
    ///   - context: How.
    ///   - serverName: Whom a client wants to reach; nil for a server.
    ///   - state: A TLS session to resume.
    ///   - preceding: Bytes that are sent in front of the first ones of TLS, together with them.
    public func startTLS(
        _ context: TLSContext,
        serverName: String?,
        resuming state: TLSResumptionState? = nil,
        preceding: [UInt8] = []
    ) throws {
        preceding.withUnsafeBytes { output.append($0) }
        let session = try TLSSession(context: context, output: output, serverName: serverName, resuming: state)
        tls = session
        while true {
            // An alert may be waiting even when a step fails.
            let progress = Result { try session.handshake() }
            try? flush()
            if try progress.get() == .complete { return }
            guard let input = try readSocket(milliseconds: patient(10_000)) else {
                throw TestSupportError("TLS handshake: no answer")
            }
            guard !input.isEmpty else { throw TestSupportError("TLS handshake: the peer closed the connection") }
            session.withInput(input) {}
        }
    }

    /// Whose the other side's certificate is.
    public var peerCertificate: CertificateIdentity? { try? tls?.peerCertificate() }

    /// What was negotiated.
    public var negotiated: NegotiatedTLS? { tls?.negotiated }

    /// Whether an earlier TLS session was resumed.
    public var isResumed: Bool { tls?.isResumed ?? false }

    /// What is needed to resume this TLS session later; with TLS 1.3 nil until the server has sent something.
    public var resumableSession: TLSResumptionState? { tls?.resumableSession }

    /// The port at this end; 0 when it has none.
    public var localPort: UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout.size(ofValue: address))
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        return result == 0 && Int32(address.sin_family) == AF_INET ? UInt16(bigEndian: address.sin_port) : 0
    }

    // MARK: Ending

    /// Says that nothing more will be sent; receiving goes on.
    ///
    /// - Parameter closeNotify: Whether to say it in TLS too.
    public func finishSending(closeNotify: Bool = true) {
        if closeNotify, let tls {
            tls.sendCloseNotify()
            try? flush()
        }
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Makes the end of the connection a reset, as when a process is killed with unread data.
    public func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    // MARK: Receiving

    /// Waits for bytes.
    ///
    /// - Throws: `TLSError` when the peer refuses or breaks TLS, `TestSupportError` when the connection is lost.
    public func receive(milliseconds: Int32) throws -> Received {
        guard let tls else {
            guard let input = try readSocket(milliseconds: milliseconds) else { return .nothing }
            return input.isEmpty ? .end(inOrder: true) : .bytes(Array(input))
        }
        while true {
            // What the handshake left may be all there is.
            if let received = try decrypt(tls) { return received }
            guard let input = try readSocket(milliseconds: milliseconds) else { return .nothing }
            if input.isEmpty { return .end(inOrder: tls.hasReceivedCloseNotify) }
            tls.withInput(input) {}
        }
    }

    private func decrypt(_ tls: TLSSession) throws -> Received? {
        var plaintext = [UInt8](repeating: 0, count: 64 << 10)
        let outcome = Result { try plaintext.withUnsafeMutableBytes { try tls.read(into: $0) } }
        try? flush()
        switch try outcome.get() {
        case .bytes(let count): return .bytes(Array(plaintext[..<count]))
        case .closed: return .end(inOrder: true)
        case .needsInput: return nil
        }
    }

    /// - Returns: What came, empty at the end of the stream, or nil when nothing came in time.
    private func readSocket(milliseconds: Int32) throws(TestSupportError) -> UnsafeRawBufferPointer? {
        let events = queuedByteCount > 0 ? POLLIN | POLLOUT : POLLIN
        var poll = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        while true {
            let ready = Glibc.poll(&poll, 1, milliseconds)
            if ready == 0 { return nil }
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { throw TestSupportError.system("poll") }
            if poll.revents & Int16(POLLIN | POLLHUP | POLLERR) == 0 {
                try sendQueued()
                return nil
            }
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TestSupportError.system("receive") }
            return UnsafeRawBufferPointer(rebasing: buffer[..<count])
        }
    }
}
