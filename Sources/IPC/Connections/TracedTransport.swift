// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

internal import IPCProtocol

/// Shows every message that passes to a hook. Only there when there is one: without, nothing is spent on it.
final class TracedTransport: MessagePassingProtocol {
    private final class Receiver: MessageReceiver {
        let receiver: any MessageReceiver
        let trace: @Sendable (MessageTrace) -> Void
        let limits: IPCLimits

        init(_ receiver: any MessageReceiver, _ trace: @escaping @Sendable (MessageTrace) -> Void, _ limits: IPCLimits)
        {
            self.receiver = receiver
            self.trace = trace
            self.limits = limits
        }

        func receive(_ message: [UInt8]) {
            trace(MessageTrace(message, .incoming, limits: limits))
            receiver.receive(message)
        }

        func connectionEnded(_ end: ConnectionEnd) {
            receiver.connectionEnded(end)
        }
    }

    private let base: any MessagePassingProtocol
    private let trace: @Sendable (MessageTrace) -> Void
    private let limits: IPCLimits

    /// The transport itself, or with a tracer around it if the options want one.
    static func wrap(_ base: any MessagePassingProtocol, _ options: ConnectionOptions) -> any MessagePassingProtocol {
        guard let trace = options.trace else { return base }
        return TracedTransport(base, trace, options.limits)
    }

    private init(
        _ base: any MessagePassingProtocol,
        _ trace: @escaping @Sendable (MessageTrace) -> Void,
        _ limits: IPCLimits
    ) {
        self.base = base
        self.trace = trace
        self.limits = limits
    }

    var isCongested: Bool { base.isCongested }

    func start(delivering receiver: any MessageReceiver) {
        base.start(delivering: Receiver(receiver, trace, limits))
    }

    func send(_ message: [UInt8]) {
        trace(MessageTrace(message, .outgoing, limits: limits))
        base.send(message)
    }

    func drain() async {
        await base.drain()
    }

    func setDelivering(_ isDelivering: Bool) {
        base.setDelivering(isDelivering)
    }

    func close(_ end: ConnectionEnd) {
        base.close(end)
    }
}
