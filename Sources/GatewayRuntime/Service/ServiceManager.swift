// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// What started the gateway, as far as it wants to be told how it is doing: systemd's notification protocol (sd_notify(3)).
///
/// Without one nothing happens. Its methods may be called from any thread.
public final class ServiceManager: Sendable {
    /// The sockets that it has handed over.
    public let sockets: InheritedSockets
    /// How often it wants to hear that the gateway is alive, in nanoseconds: half of the time after which it acts. Nil for
    /// never.
    public let watchdogInterval: UInt64?

    private let link: NotificationSocket?

    /// Takes what the environment says of it, and takes it out of the environment, for nobody else may use it. Call it once,
    /// before there are other threads.
    ///
    /// - Throws: When there is a socket for notifications that cannot be used.
    public init() throws(GatewayStartError) {
        sockets = InheritedSockets(
            count: Self.take("LISTEN_FDS"),
            process: Self.take("LISTEN_PID"),
            names: Self.take("LISTEN_FDNAMES")
        )
        let process = Self.take("WATCHDOG_PID").flatMap { Int32($0) }
        let watchdog = Self.take("WATCHDOG_USEC").flatMap { UInt64($0) }
        let path = Self.take("NOTIFY_SOCKET")
        watchdogInterval =
            watchdog.flatMap { $0 > 0 && $0 < UInt64.max / 1000 && (process ?? getpid()) == getpid() ? $0 * 500 : nil }
        guard let path, !path.isEmpty else {
            link = nil
            return
        }
        do throws(SystemError) {
            link = try NotificationSocket(path)
        } catch {
            throw GatewayStartError("the service manager cannot be told anything: NOTIFY_SOCKET=\(path): \(error)")
        }
    }

    private static func take(_ name: String) -> String? {
        guard let value = getenv(name).map({ String(cString: $0) }) else { return nil }
        unsetenv(name)
        return value
    }

    /// Whether there is somebody who wants to know.
    public var isThere: Bool { link != nil }

    // MARK: Telling

    /// The gateway listens, or goes on after a reload.
    public func ready(_ status: String) {
        send(["READY=1", "STATUS=\(status)"])
    }

    /// The configuration is being read anew; `ready` follows.
    public func reloading() {
        send(["RELOADING=1", "MONOTONIC_USEC=\(MonotonicClock.now() / 1000)", "STATUS=Reading the configuration"])
    }

    /// The gateway stops.
    public func stopping(_ status: String) {
        send(["STOPPING=1", "STATUS=\(status)"])
    }

    /// The gateway is alive.
    public func alive() {
        send(["WATCHDOG=1"])
    }

    private func send(_ lines: [String]) {
        link?.send(lines.joined(separator: "\n"))
    }
}

/// The socket that the service manager listens at.
private final class NotificationSocket: Sendable {
    private let descriptor: Descriptor

    /// - Parameter path: A path, or a name behind `@`, which is an abstract address.
    init(_ path: String) throws(SystemError) {
        guard let address = SocketAddress(notificationPath: path) else { throw SystemError("connect", EAFNOSUPPORT) }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw SystemError("socket") }
        descriptor = Descriptor(number)
        // A manager that does not read holds nothing up for longer.
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        // Once, because the process may not be allowed to see the path later.
        guard address.withPointer({ connect(number, $0, $1) }) == 0 else { throw SystemError("connect") }
    }

    /// Sends a message; one that cannot be sent is lost, and what the manager does then is its affair.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        while Glibc.send(descriptor.number, bytes, bytes.count, Int32(bitPattern: UInt32(MSG_NOSIGNAL))) < 0,
            errno == EINTR
        {}
    }
}
