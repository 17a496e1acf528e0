// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import CLinux
internal import Glibc

/// What a descriptor is watched for, or is ready for. Errors and hang-ups are always reported.
struct Readiness: OptionSet {
    let rawValue: UInt32

    static let readable = Readiness(rawValue: UInt32(CLINUX_EPOLL_IN))
    static let writable = Readiness(rawValue: UInt32(CLINUX_EPOLL_OUT))
    static let failed = Readiness(rawValue: UInt32(CLINUX_EPOLL_ERR))
    static let hungUp = Readiness(rawValue: UInt32(CLINUX_EPOLL_HUP))
    /// Asked for only: of the threads that wait for a socket they share, wake one.
    static let exclusive = Readiness(rawValue: UInt32(CLINUX_EPOLL_EXCLUSIVE))
}

/// The kernel's list of watched descriptors (level-triggered).
struct Epoll: ~Copyable {
    private let descriptor: Descriptor
    private let reports: UnsafeMutableBufferPointer<clinux_ready>

    init() throws(SystemError) {
        let number = clinux_epoll_create()
        guard number >= 0 else { throw SystemError("epoll_create1") }
        descriptor = Descriptor(number)
        reports = .allocate(capacity: 256)
    }

    deinit {
        reports.deallocate()
    }

    func add(_ number: Int32, _ interest: Readiness, token: UInt64) throws(SystemError) {
        try control(CLINUX_EPOLL_ADD, number, interest, token)
    }

    func modify(_ number: Int32, _ interest: Readiness, token: UInt64) throws(SystemError) {
        try control(CLINUX_EPOLL_MODIFY, number, interest, token)
    }

    func remove(_ number: Int32) {
        _ = clinux_epoll_control(descriptor.number, CLINUX_EPOLL_DELETE, number, 0, 0)
    }

    private func control(
        _ operation: clinux_epoll_operation,
        _ number: Int32,
        _ interest: Readiness,
        _ token: UInt64
    ) throws(SystemError) {
        guard clinux_epoll_control(descriptor.number, operation, number, interest.rawValue, token) == 0 else {
            throw SystemError("epoll_ctl")
        }
    }

    /// Waits for readiness, at most `milliseconds` (-1: for ever).
    ///
    /// - Returns: How many reports there are; none after a signal or a time-out.
    func wait(milliseconds: Int32) -> Int {
        max(0, Int(clinux_epoll_wait(descriptor.number, reports.baseAddress, Int32(reports.count), milliseconds)))
    }

    /// A report of the last `wait`: a ready descriptor's token, and what it is ready for.
    func report(_ index: Int) -> (token: UInt64, readiness: Readiness) {
        (reports[index].token, Readiness(rawValue: reports[index].events))
    }
}
