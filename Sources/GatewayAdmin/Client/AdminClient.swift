// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// Asks a gateway's endpoint for operators, one question a connection. Blocks.
public struct AdminClient: Sendable {
    /// Why there is no answer.
    public struct Failure: Error, CustomStringConvertible {
        /// What happened and what to do.
        public let description: String
    }

    /// The path of the endpoint's socket.
    public let path: String
    /// How long an answer may take, in seconds.
    public var patience = 10

    /// Makes a client for a socket.
    public init(path: String) {
        self.path = path
    }

    /// Asks.
    ///
    /// - Parameters:
    ///   - method: Of HTTP.
    ///   - target: The path, with a query perhaps; without spaces and line breaks.
    /// - Throws: When there is no answer, or none that can be one.
    public func ask(_ method: String = "GET", _ target: String) throws(Failure) -> HTTPAnswer {
        let number = try connect()
        defer { close(number) }
        let request =
            "\(method) \(target) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        var rest = Array(request.utf8)[...]
        let deadline = Self.now() + patience
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(number, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("does not take the question: \(Self.reason())") }
            rest = rest.dropFirst(count)
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(number, &chunk, chunk.count, 0)
            if count == 0 { break }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw failure(errno == EAGAIN ? "did not answer within \(patience) s" : "was lost: \(Self.reason())")
            }
            bytes += chunk[..<count]
            guard bytes.count <= HTTPAnswer.most else { throw failure("answers more than anybody could want to know") }
            guard Self.now() <= deadline else { throw failure("did not answer within \(patience) s") }
        }
        do throws(HTTPAnswer.Malformed) {
            return try HTTPAnswer(bytes)
        } catch {
            throw failure("is not understood: \(error)")
        }
    }

    private func connect() throws(Failure) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path), !bytes.contains(0) else {
            throw Failure(description: "'\(path)' cannot be the path of a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw failure("cannot be asked: \(Self.reason())") }
        var time = timeval(tv_sec: patience, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &time, size)
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &time, size)
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let code = errno
            close(number)
            let hint =
                switch code {
                case ENOENT: "; is the gateway running, and is this the path of admin.unix?"
                case ECONNREFUSED: "; the gateway is not running"
                case EACCES, EPERM: "; it is for the gateway's own user"
                default: ""
                }
            throw failure("cannot be connected to: \(String(cString: strerror(code)))\(hint)")
        }
        return number
    }

    private func failure(_ text: String) -> Failure {
        Failure(description: "the gateway at \(path) \(text)")
    }

    private static func reason() -> String { String(cString: strerror(errno)) }

    private static func now() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int(time.tv_sec)
    }
}
