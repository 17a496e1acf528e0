// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

import GatewayTestSupport
import IPC
import IPCTransport
import NIOConcurrencyHelpers

/// A client in a tunnel between two pairs of ends in memory: the test is the program at the one end and the gateway at the
/// other.
final class TunnelBench: Sendable {
    private struct State {
        var dialCount = 0
        var isOpen: Bool
        var happenings: [TunnelHappening] = []
        var unacknowledged = 0
        var isAway = false
        var isDone = false
    }

    let program: any MessagePassingProtocol
    let gateway: any MessagePassingProtocol
    let programReceiver: RecordingReceiver
    let gatewayReceiver: RecordingReceiver
    let client: TunnelledClient
    let events: AsyncStream<TunnelRemote.Event>.Continuation
    private let shared: Shared

    private final class Shared: Sendable {
        let state: NIOLockedValueBox<State>
        init(_ state: State) { self.state = NIOLockedValueBox(state) }
    }

    /// - Parameters:
    ///   - isOpen: Whether the gateway answers at once; otherwise when ``open()`` is called.
    ///   - refusal: What dialling fails with.
    ///   - starts: Whether the gateway begins to read.
    init(isOpen: Bool = true, refusal: ConnectionEnd? = nil, starts: Bool = true) {
        let shared = Shared(State(isOpen: isOpen))
        self.shared = shared
        let (program, local) = MessagePair.make()
        let (remote, gateway) = MessagePair.make()
        let (stream, events) = AsyncStream.makeStream(of: TunnelRemote.Event.self)
        self.program = program
        self.gateway = gateway
        self.events = events
        programReceiver = RecordingReceiver()
        gatewayReceiver = RecordingReceiver()
        client = TunnelledClient(local: local) {
            shared.state.withLockedValue { $0.dialCount += 1 }
            try await eventually("the gateway answers") { shared.state.withLockedValue { $0.isOpen } }
            if let refusal { throw refusal }
            return TunnelRemote(transport: remote, address: "gateway", events: stream) {
                shared.state.withLockedValue { TunnelRemote.Statistics(messages: $0.unacknowledged, isAway: $0.isAway) }
            }
        } observe: { happening in
            shared.state.withLockedValue { $0.happenings.append(happening) }
        }
        program.start(delivering: programReceiver)
        if starts { gateway.start(delivering: gatewayReceiver) }
        let client = client
        Task {
            await client.run()
            shared.state.withLockedValue { $0.isDone = true }
        }
    }

    var dialCount: Int { shared.state.withLockedValue { $0.dialCount } }
    var isDone: Bool { shared.state.withLockedValue { $0.isDone } }
    var happenings: [TunnelHappening] { shared.state.withLockedValue { $0.happenings } }

    /// How the client's connection was, when it is over.
    var summary: TunnelHappening.Summary? {
        for case .ended(let summary) in happenings { return summary }
        return nil
    }

    /// Lets the gateway answer.
    func open() {
        shared.state.withLockedValue { $0.isOpen = true }
    }

    /// How many messages the gateway has not acknowledged.
    func setUnacknowledged(_ count: Int) {
        shared.state.withLockedValue { $0.unacknowledged = count }
    }

    /// Whether the way to the gateway is cut.
    func setAway(_ isAway: Bool) {
        shared.state.withLockedValue { $0.isAway = isAway }
    }

    /// Waits until both sides have ended.
    func finish() async throws -> TunnelHappening.Summary {
        try await eventually("the client is done: \(happenings)") { isDone }
        guard let summary else { throw TestSupportError("no summary") }
        return summary
    }
}
