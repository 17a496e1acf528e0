// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import GatewayCore
internal import Glibc
internal import IPCProtocol

/// The local servers of a client: dialled, lost, and dialled again.
extension Bridge {
    /// How long to wait before a server whose queue was full is dialled again.
    private static let redialInterval: UInt64 = 20_000_000
    /// How many times `limits.queueBytes` may wait for one of several servers: what cannot be refused comes on top of it.
    private static let queueFactor = 8

    func upstreamName(_ index: Int) -> String {
        session?.terms.upstreams[index].name ?? ""
    }

    func upstreamPath(_ index: Int) -> String {
        session.map { snapshot.configuration.resolve($0.terms.upstreams[index].unix) } ?? ""
    }

    func dial(_ index: Int) {
        guard phase == .open, link(index) == nil else { return }
        let handle = reactor.makeHandle(self, role: Self.upstreamRole + UInt8(index))
        let link: UpstreamLink
        do throws(SystemError) {
            link = try UpstreamLink(path: upstreamPath(index), index: index, handle: handle)
        } catch {
            reactor.release(handle)
            return upstreamFailed(index, error)
        }
        links.append(link)
        // Context and Initialize wait in the queue, so that they leave in one write, before anything else.
        session?.openUpstream(index).withUnsafeBytes(link.send)
        link.readyDeadline = reactor.now + snapshot.configuration.timeouts.upstream
        connect(link)
    }

    func connect(_ link: UpstreamLink) {
        link.redialDeadline = .max
        do throws(SystemError) {
            try link.connect()
            if link.state == .connected { environment.meter.upstreamReached(upstreamName(link.index)) }
            if link.state == .queued { link.redialDeadline = reactor.now + Self.redialInterval }
        } catch {
            upstreamFailed(link.index, error)
        }
    }

    private func upstreamFailed(_ index: Int, _ error: SystemError) {
        let hint =
            switch error.code {
            case ENOENT: "is the server running, and is this the path it listens on?"
            case ECONNREFUSED: "the socket is there but nobody listens; is the server running?"
            case EACCES, EPERM: "the gateway's user may not write to the socket or enter its folder"
            case EMFILE, ENFILE: "the gateway has no descriptors left; raise its limit"
            default: "check the server and the socket"
            }
        let server = "the local server '\(upstreamName(index))' at \(upstreamPath(index))"
        let message = "\(server) cannot be reached: \(error.reason); \(hint)"
        lose(index, CloseReason(.upstreamUnavailable, message), wasReached: false)
    }

    /// Parts with a server. The client goes too, unless its configuration says that it can do without for a while.
    ///
    /// - Parameter wasReached: Whether the server may have got any of the requests.
    func lose(_ index: Int, _ reason: CloseReason, wasReached: Bool) {
        environment.meter.upstreamLost(upstreamName(index), reason.code)
        guard session?.survivesLoss(of: index) == true else { return close(reason) }
        if let link = link(index) { drop(link) }
        log.lost(upstreamName(index), reason)
        perform(session?.lostUpstream(index, wasReached: wasReached, at: reactor.now) ?? [])
    }

    /// Tells the session how full its servers' queues are, where that is its business.
    func noteQueues() {
        guard !isTransparent else { return }
        for link in links { noteQueue(of: link) }
    }

    private func noteQueue(of link: UpstreamLink) {
        let limit = snapshot.configuration.limits.queueBytes
        if link.backlogByteCount > Self.queueFactor * limit + snapshot.configuration.limits.wire.frameBytes {
            let message = "the local server '\(upstreamName(link.index))' does not take what is queued for it"
            return lose(link.index, CloseReason(.stallTimeout, message), wasReached: true)
        }
        let waiting = session?.setFull(link.index, link.backlogByteCount > limit) ?? []
        waiting.withUnsafeBytes(link.send)
    }

    /// Does what the session wants done without having been asked by a frame.
    func perform(_ tasks: [GatewaySession.Task]) {
        for task in tasks where phase != .lingering {
            switch task {
            case .tellClient(let frames): frames.withUnsafeBytes(sendToClient)
            case .tellServer(let index, let frames): frames.withUnsafeBytes { link(index)?.send($0) }
            // A session is not over with its connection.
            case .dial(let index): if persistence != nil || !client.hasEnded { dial(index) }
            }
        }
    }

    func sessionExpired() {
        perform(session?.expire(at: reactor.now) ?? [])
        client.flush()
    }
}
