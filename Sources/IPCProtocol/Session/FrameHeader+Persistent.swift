// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

extension FrameHeader {
    /// Checks that a frame of this form exists in the persistent protocol, before any byte of its body has come.
    ///
    /// ``PersistentSession`` does this with every frame. Who takes frames out of a buffer of its own does it as soon as a
    /// header has come, so that nothing is kept for a frame that will be refused.
    ///
    /// - Parameter settings: Bounds and mode. In lenient mode only sizes are checked, as VS Code reads every form; a body
    ///   where there is none is dropped then, and may be as large as that of a Control frame.
    /// - Throws: ``WireError`` with `frameTooLarge`, in strict mode also `unexpectedFrameType` and `unexpectedSequence`.
    public func validatePersistent(_ settings: SessionSettings) throws(WireError) {
        let isStrict = settings.mode == .strict
        let allowed: Int
        switch type {
        case .regular:
            try validateLength(limits: settings.limits)
            return
        case .control: allowed = settings.controlBytes
        case .ack, .disconnect, .replayRequest, .pause, .resume, .keepAlive:
            allowed = isStrict ? 0 : settings.controlBytes
        default:
            guard !isStrict else {
                throw WireError(.unexpectedFrameType, at: 0, found: Int(type.rawValue), allowed: 9)
            }
            allowed = settings.controlBytes
        }
        guard bodyLength <= allowed else {
            throw WireError(.frameTooLarge, at: 9, found: bodyLength, allowed: allowed)
        }
        guard id == 0 || !isStrict else {
            throw WireError(.unexpectedSequence, at: 1, found: Int(id))
        }
    }
}
